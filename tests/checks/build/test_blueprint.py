"""Every rule of a Blueprint: a file that breaks it, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.build.blueprint import BuildBlueprint, BuildBlueprintConfig, blueprint_findings
from checks.result import Outcome
from tests.fakes import io_for

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[3]

API = """\
services:
  - type: web
    name: nexus-api
    runtime: python
    plan: starter
    buildCommand: pip install -r requirements.txt
    startCommand: uvicorn app:app --host 0.0.0.0 --port $PORT
    healthCheckPath: /health
    envVars:
      - key: PYTHON_VERSION
        value: "3.12.8"
"""
WORKER = """\
  - type: worker
    name: nexus-worker
    runtime: python
    startCommand: celery -A app worker
    envVars:
      - {key: PYTHON_VERSION, value: "3.12.8"}
"""
BEAT = WORKER.replace("nexus-worker", "nexus-beat").replace("app worker", "app beat")
REDIS = """\
  - type: keyvalue
    name: nexus-redis
    maxmemoryPolicy: noeviction
    ipAllowList: []
"""
DATABASE = """\
databases:
  - name: nexus-db
    ipAllowList: []
"""
WHOLE = API + WORKER + BEAT + REDIS + DATABASE


def said(text: str, *files: str) -> list[str]:
    return [
        f"{finding.level} {finding.where} [{finding.rule}] {finding.message}"
        for finding in blueprint_findings(text, "render.yaml", frozenset(files))
    ]


def test_a_sound_blueprint_breaks_no_rule() -> None:
    assert said(WHOLE) == []


@pytest.mark.parametrize("path", ["render.yaml", "docs/render/render.yaml"])
def test_our_own_blueprints_break_no_rule(path: str) -> None:
    assert said((REPOSITORY / path).read_text()) == []


def env(entry: str) -> str:
    """Return the API with one more environment variable, on line 12."""
    return f"{API}      - {entry}\n"


def field(entry: str) -> str:
    """Return the API with one more field, on line 2."""
    return API.replace("  - type: web\n", f"  - {entry}\n    type: web\n")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param("", "error render.yaml:1 [empty] defines no service and no database", id="empty"),
        pytest.param("- a\n", "error render.yaml:1 [empty] defines no service and no database", id="a list"),
        pytest.param(
            API.replace("buildCommand: pip install", "buildCommand: pip install --only-binary=:all: x"),
            "error render.yaml:6 [yaml] no YAML: mapping values are not allowed here",
            id="colon in a plain scalar",
        ),
        pytest.param(
            f"x-common: 1\n{API}", "error render.yaml:1 [unknown-key] x-common: is no key of a Blueprint", id="root key"
        ),
        pytest.param(
            API
            + API.removeprefix("services:\n")
            .replace("name: nexus-api", "plan: starter")
            .replace("    plan: starter\n", "", 1),
            "error render.yaml:12 [name] a service without a name",
            id="no name",
        ),
        pytest.param(
            field("pythonVersion: 3.12"),
            "error render.yaml:2 [old-key] nexus-api.pythonVersion: is no key of a service",
            id="pythonVersion",
        ),
        pytest.param(
            field("env: python"), "error render.yaml:2 [old-key] nexus-api.env: is no key of a service", id="env"
        ),
        pytest.param(
            "services: [{name: app, type: static, runtime: static}]",
            "error render.yaml:1 [type] app: type static is none",
            id="static",
        ),
        pytest.param(
            field("autoDeployTrigger: off"),
            "error render.yaml:2 [auto-deploy] nexus-api.autoDeployTrigger: off unquoted is false in YAML",
            id="unquoted off",
        ),
        pytest.param(
            field('autoDeployTrigger: "off"').replace("    plan", "    autoDeploy: false\n    plan"),
            "error render.yaml:6 [auto-deploy] nexus-api: autoDeploy and autoDeployTrigger",
            id="both triggers",
        ),
        pytest.param(
            API.replace("plan: starter", "plan: free").replace("    runtime", "    preDeployCommand: x\n    runtime"),
            "error render.yaml:4 [plan] nexus-api.preDeployCommand: not on the free plan",
            id="free with a paid field",
        ),
        pytest.param(
            API + WORKER.replace("    runtime", "    plan: free\n    runtime"),
            "error render.yaml:14 [plan] nexus-worker: a worker has no free plan",
            id="free worker",
        ),
        pytest.param(
            field("disk: {name: d, mountPath: /d}").replace("    plan", "    numInstances: 2\n    plan"),
            "error render.yaml:2 [disk] nexus-api: a service with a disk has one instance",
            id="disk and two instances",
        ),
        pytest.param(
            API + BEAT.replace("    runtime", "    numInstances: 2\n    runtime"),
            "error render.yaml:14 [one-beat] nexus-beat: 2 instances of beat would send every task more than once",
            id="two beats",
        ),
        pytest.param(
            API + WORKER.replace("app worker", "app worker -B").replace("    runtime", "    scaling: {}\n    runtime"),
            "error render.yaml:14 [one-beat] nexus-worker: several instances of beat would send every task more "
            "than once",
            id="a scaled worker with beat in it",
        ),
        pytest.param(
            API.replace("    startCommand: uvicorn app:app --host 0.0.0.0 --port $PORT\n", ""),
            "error render.yaml:2 [start-command] nexus-api: no startCommand",
            id="no start command",
        ),
        pytest.param(
            API.replace("    healthCheckPath: /health\n", ""),
            "warning render.yaml:2 [health-check] nexus-api: without healthCheckPath a deploy counts as live as "
            "soon as "
            "its port is open",
            id="no health check",
        ),
        pytest.param(
            API + WORKER.replace("    runtime", "    healthCheckPath: /health\n    runtime"),
            "error render.yaml:14 [health-check] nexus-worker: a worker has no health check",
            id="health check of a worker",
        ),
        pytest.param(
            API.replace("--port $PORT", "--port 8000"),
            "error render.yaml:7 [port] nexus-api: 'uvicorn app:app --host 0.0.0.0 --port 8000' does not listen "
            "on $PORT",
            id="fixed port",
        ),
        pytest.param(
            API.replace("--host 0.0.0.0 ", ""),
            "error render.yaml:7 [host] nexus-api: 'uvicorn app:app --port $PORT' listens on loopback, where Render "
            "cannot reach it",
            id="loopback",
        ),
        pytest.param(
            "services: [{name: job, type: cron, runtime: image, schedule: hourly}]",
            "error render.yaml:1 [schedule] job: 'hourly' is no cron expression of five fields",
            id="cron",
        ),
        pytest.param(
            API.replace('value: "3.12.8"', "value: 3.12"),
            "error render.yaml:11 [python-version] nexus-api: PYTHON_VERSION 3.12 is not of the form x.y.z",
            id="short version",
        ),
        pytest.param(
            API.replace('value: "3.12.8"', "value: 3.12.8"),
            "warning render.yaml:11 [python-version] nexus-api: PYTHON_VERSION 3.12.8 is not quoted",
            id="version without quotes",
        ),
        pytest.param(
            API.replace('value: "3.12.8"', "sync: false"),
            "warning render.yaml:10 [python-version] nexus-api: PYTHON_VERSION has no value here",
            id="version asked for",
        ),
        pytest.param(
            API.replace("PYTHON_VERSION", "OTHER"),
            "error render.yaml:2 [python-version] nexus-api: no PYTHON_VERSION, so it gets the default of the day the "
            "service was created",
            id="no version",
        ),
        pytest.param(
            env("{key: REDIS_URL, fromService: {type: keyvalue, name: nexus-cache, property: connectionString}}"),
            "warning render.yaml:12 [reference] nexus-api.REDIS_URL: there is no service 'nexus-cache' in this file",
            id="unknown service",
        ),
        pytest.param(
            env("{key: DATABASE_URL, fromDatabase: {name: nexus, property: connectionString}}"),
            "warning render.yaml:12 [reference] nexus-api.DATABASE_URL: there is no database 'nexus' in this file",
            id="unknown database",
        ),
        pytest.param(
            env("{fromGroup: shared}"),
            "warning render.yaml:12 [reference] nexus-api: there is no environment group 'shared' in this file",
            id="unknown group",
        ),
        pytest.param(
            env("{key: A, value: b, sync: false}"),
            "error render.yaml:12 [sync] nexus-api.A: sync: false and a value",
            id="sync and value",
        ),
        pytest.param(
            env("{key: DEBUG, value: true}"),
            "error render.yaml:12 [quote] nexus-api.DEBUG: true is no string",
            id="boolean",
        ),
        pytest.param(
            env('{key: PORT, value: "80"}'),
            "warning render.yaml:12 [port] nexus-api.PORT: Render sets it, 10000 by default",
            id="PORT",
        ),
        pytest.param(
            env("{key: CARGO_HOME, value: /opt/render/project/.cargo}"),
            "warning render.yaml:12 [cargo] nexus-api.CARGO_HOME: a writable folder for cargo does not make a missing "
            "wheel build",
            id="CARGO_HOME",
        ),
        pytest.param(
            env("{key: BOT_TOKEN, value: whatever}"),
            "error render.yaml:12 [secret] nexus-api.BOT_TOKEN: a secret in clear",
            id="secret by name",
        ),
        pytest.param(
            env("{key: DATABASE_URL, value: 'postgresql://me:mine@host/db'}"),
            "error render.yaml:12 [secret] nexus-api.DATABASE_URL: a secret in clear",
            id="secret by value",
        ),
        pytest.param(
            f"{API}envVarGroups:\n  - name: shared\n    envVars:\n      - {{key: A, sync: false}}\n",
            "error render.yaml:15 [group-sync] shared.A: sync is ignored in an environment group",
            id="sync in a group",
        ),
        pytest.param(
            WHOLE.replace("    ipAllowList: []\ndatabases", "databases"),
            "error render.yaml:24 [ip-allow-list] nexus-redis: ipAllowList is missing",
            id="key value open",
        ),
        pytest.param(
            WHOLE.replace("noeviction", "allkeys-lru"),
            "error render.yaml:26 [noeviction] nexus-redis: maxmemoryPolicy allkeys-lru may evict queued tasks",
            id="evicting broker",
        ),
        pytest.param(
            WHOLE.replace("    maxmemoryPolicy: noeviction\n", ""),
            "error render.yaml:24 [noeviction] nexus-redis: maxmemoryPolicy allkeys-lru (the default) may evict "
            "queued tasks",
            id="broker with the default policy",
        ),
        pytest.param(
            f"{API}{DATABASE}".replace("    ipAllowList: []\n", ""),
            "warning render.yaml:13 [ip-allow-list] nexus-db: without ipAllowList the database is open to the internet",
            id="database open",
        ),
        pytest.param(
            API + REDIS.replace("    maxmemory", "    region: frankfurt\n    maxmemory"),
            "warning render.yaml:1 [region] services stand in 2 regions: frankfurt, oregon",
            id="two regions",
        ),
    ],
)
def test_each_rule_names_its_line(text: str, finding: str) -> None:
    assert said(text) == [finding]


def test_two_services_of_one_name_are_both_named() -> None:
    assert [line.split("] ")[1] for line in said(API + WORKER.replace("nexus-worker", "nexus-api"))] == [
        "nexus-api: 2 services have this name"
    ] * 2


def test_a_version_may_come_from_a_group_or_a_file() -> None:
    group = 'envVarGroups:\n  - name: shared\n    envVars:\n      - {key: PYTHON_VERSION, value: "3.12.8"}\n'
    without = API.replace('      - key: PYTHON_VERSION\n        value: "3.12.8"\n', "      - fromGroup: shared\n")
    assert said(without + group) == []
    assert said(API.replace("PYTHON_VERSION", "OTHER"), ".python-version") == []


def test_runtime_txt_is_a_warning() -> None:
    assert said(WHOLE, "runtime.txt") == ["warning runtime.txt [runtime-txt] runtime.txt: is not read by Render"]


def test_services_in_a_projects_environment_are_held_to_the_rules() -> None:
    inner = "".join(f"        {line}\n" for line in API.replace("3.12.8", "3.12").splitlines())
    text = f"projects:\n  - name: nexus\n    environments:\n      - name: production\n{inner}"
    assert [line.split("] ")[1] for line in said(text)] == ["nexus-api: PYTHON_VERSION 3.12 is not of the form x.y.z"]


async def look(path: Path) -> tuple[Outcome, str, str]:
    check = BuildBlueprint(BuildBlueprintConfig(path=path))
    verdict = check.judge(await check.measure(io_for()), NOW)
    return verdict.outcome, verdict.summary, verdict.hint


async def test_the_check_reads_the_repository(tmp_path: Path) -> None:
    assert await look(tmp_path) == (Outcome.UNKNOWN, "render.yaml: there is none", "Name it: render.yaml at the root.")
    (tmp_path / "render.yaml").write_text(WHOLE)
    assert await look(tmp_path) == (Outcome.OK, "render.yaml: 4 services, no rule broken", "")
    (tmp_path / "runtime.txt").touch()
    assert (await look(tmp_path))[0] is Outcome.DEGRADED
    (tmp_path / "render.yaml").write_text(WHOLE.replace('"3.12.8"', "3.1"))
    assert await look(tmp_path) == (
        Outcome.FAILED,
        "nexus-api: PYTHON_VERSION 3.1 is not of the form x.y.z (3 errors, 1 warnings)",
        'render.yaml:11: value: "3.13.9": all three numbers, quoted',
    )
    (tmp_path / "render.yaml").write_text("a: b: c")
    assert (await look(tmp_path))[0] is Outcome.FAILED
