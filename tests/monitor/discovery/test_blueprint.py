"""Which service of a Blueprint is which, and one line for one that cannot be read."""

from pathlib import Path

import pytest

from monitor.discovery.blueprint import Blueprint, read_blueprint
from monitor.errors import UsageError

WHOLE = """
services:
  - {type: web, name: shop-api, startCommand: "uvicorn app:app --port $PORT", healthCheckPath: /healthz}
  - {type: web, name: shop-bot, startCommand: "uvicorn hook:app --port $PORT"}
  - {type: worker, name: tasks, startCommand: "celery -A app worker -l info"}
  - {type: worker, name: clock, startCommand: "celery -A app beat"}
  - {type: web, name: shop-web, runtime: static}
  - {type: keyvalue, name: shop-redis}
  - {type: cron, name: nightly, startCommand: "python report.py"}
  - {type: web, name: watch, startCommand: "python -m monitor serve"}
  - {type: web, name: admin-api, startCommand: "uvicorn admin:app"}
databases:
  - {name: shop-db}
  - {name: archive}
"""


def test_each_service_s_part_is_read_from_its_command_or_its_name(tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_text(WHOLE, encoding="utf-8")
    assert read_blueprint(tmp_path / "render.yaml") == Blueprint(
        {
            "api": "shop-api",
            "bot": "shop-bot",
            "worker": "tasks",
            "beat": "clock",
            "miniapp": "shop-web",
            "redis": "shop-redis",
            "database": "shop-db",
        },
        ("nightly", "admin-api", "archive"),
        "/healthz",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "render.yaml: names no service and no database"),
        ("services: {a: 1}", "render.yaml: services: must be a list of entries with a name"),
        ("services: [{type: web}]", "render.yaml: services: must be a list of entries with a name"),
        ("databases: [x]", "render.yaml: databases: must be a list of entries with a name"),
        ("- a", "render.yaml: must be a mapping of settings, not a list"),
    ],
)
def test_one_that_cannot_be_read_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_blueprint(tmp_path / "render.yaml")
    assert caught.value.lines == (line,)
