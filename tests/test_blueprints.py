"""The Blueprints that are given away: the monitor beside a Nexus finds every part, and is given what it understands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config.rows import ROWS
from monitor.config.settings import Settings
from monitor.config.stack import Services
from monitor.discovery.blueprint import read_blueprint

ALONE, WHOLE = Path("render.yaml"), Path("docs/render/render.yaml")


def monitor_of(path: Path) -> dict[str, Any]:
    services = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return next(service for service in services if service["name"] == "nexus-monitor")


@pytest.mark.parametrize("path", [ALONE, WHOLE], ids=str)
def test_the_monitor_knows_every_variable_it_is_given(path: Path) -> None:
    names = [entry["key"] for entry in monitor_of(path)["envVars"] if entry["key"] != "PYTHON_VERSION"]
    assert {name.lower() for name in names} <= Settings.model_fields.keys()


@pytest.mark.parametrize("path", [ALONE, WHOLE], ids=str)
def test_every_secret_is_asked_for_made_or_taken_from_elsewhere(path: Path) -> None:
    for service in yaml.safe_load(path.read_text(encoding="utf-8"))["services"]:
        given = {entry["key"]: entry["value"] for entry in service.get("envVars", ()) if "value" in entry}
        assert given.keys() <= {"PYTHON_VERSION", "MONITOR_LOG_FORMAT"}


def test_both_start_the_monitor_alike() -> None:
    alone, whole = monitor_of(ALONE), monitor_of(WHOLE)
    same = ("type", "runtime", "plan", "buildCommand", "startCommand", "healthCheckPath", "maxShutdownDelaySeconds")
    assert {key: alone[key] for key in same} == {key: whole[key] for key in same}


def test_beside_a_nexus_every_part_has_the_name_that_is_looked_for() -> None:
    found = read_blueprint(WHOLE)
    usual = Services()
    assert dict(found.services) == {
        part: getattr(usual, part) for part in ("api", "bot", "worker", "beat", "miniapp", "redis")
    } | {"database": "nexus-db"}


def test_beside_a_nexus_nothing_more_is_needed_than_what_is_found() -> None:
    given = {entry["key"].lower() for entry in monitor_of(WHOLE)["envVars"]}
    found = {"webhook_url"}  # from Telegram
    asked_in_a_group = {"probe_bot_token", "probe_chat_id"}
    needed = {name for row in ROWS for name in row.needs}
    assert needed - given == found | asked_in_a_group
