"""Faults that Render tells of: of services, deploys, their logs and instances, and of Render's API itself."""

from typing import Any

from demo.faults.fault import Fault
from demo.faults.hands import Hand, call
from demo.stack import COMMIT, RENDER, DemoStack

API, BOT, WORKER, BEAT = "nexus-api", "nexus-bot", "nexus-worker", "nexus-beat"
OTHER_COMMIT = "0ddc0ffee1dea5"
LONG_SECONDS = 3600.0
"""How long an instance has been running that is not new."""
OUT_OF_MEMORY = "==> Out of memory (used over 512Mi)"
IMPORT_ERROR = "ModuleNotFoundError: No module named 'nexus.export'"


def _call(stack: DemoStack, path: str, body: dict[str, Any]) -> None:
    call(f"{stack.parts[RENDER].url}/_/{path}", body)


def _changed(service: str, /, **changes: Any) -> Hand:
    """Return a hand that changes a service on Render, or notes something of it."""
    return lambda stack: _call(stack, f"services/{service}", changes)


def _deployed(service: str, status: str, *log: str, commit: str = COMMIT) -> Hand:
    """Return a hand that plays a deploy of a service on Render, to its end."""
    return _changed(service, deploy={"status": status, "commit": commit, "log": log})


def _refusing(status: int) -> Hand:
    return lambda stack: _call(stack, "refusing", {"status": status})


def _noted(name: str, says: str, service: str, *events: dict[str, Any]) -> Fault:
    """Return a fault that Render notes as events."""
    types = sorted({str(event["type"]) for event in events})
    return Fault(
        name, says, "platform.events", _changed(service, events=events), _changed(service, forget_events=types),
        "warning",
    )  # fmt: skip


def _built(name: str, says: str, *log: str) -> Fault:
    """Return a fault that the log of a build tells, though it went live."""
    return Fault(
        name, says, "platform.build_logs", _deployed(API, "live", *log), _deployed(API, "live"), "warning"
    )  # fmt: skip


def _unanswered(name: str, says: str, status: int) -> Fault:
    """Return a fault of the API itself: nothing is known for longer than is bearable."""
    patience = {"checks": {"platform.service": {"stale_after_seconds": PATIENCE_SECONDS}}}
    return Fault(name, says, "platform.service", _refusing(status), _refusing(0), "warning", tuning=patience)


def _failed(reason: dict[str, Any]) -> dict[str, Any]:
    return {"type": "server_failed", "details": {"reason": reason}}


_restarted = {"type": "server_restarted", "details": {"triggeredByUser": None}}
_maintained = {"type": "maintenance_started", "details": {"trigger": {"manual": False, "startedByRender": True}}}
_killed_for_memory = _failed({"oomKilled": {"memoryLimit": "512Mi"}})
_exited = _failed({"nonZeroExit": 1})
PATIENCE_SECONDS = 20.0

FAULTS = (
    Fault(
        "render-suspended",
        "Render suspends nexus-worker for an unpaid bill",
        "platform.service",
        _changed(WORKER, service={"suspended": "suspended", "suspenders": ["billing"]}),
        _changed(WORKER, service={"suspended": "not_suspended", "suspenders": []}),
        "warning",
    ),
    Fault(
        "render-service-deleted",
        "somebody deletes nexus-worker on Render",
        "platform.service",
        _changed(WORKER, is_listed=False),
        _changed(WORKER, is_listed=True),
        "warning",
    ),
    Fault(
        "render-plan-changed",
        "somebody gives nexus-worker another plan than render.yaml says",
        "platform.service",
        _changed(WORKER, details={"plan": "standard"}),
        _changed(WORKER, details={"plan": "starter"}),
        "warning",
    ),
    Fault(
        "render-auto-deploy-off",
        "somebody switches auto-deploy of nexus-worker off, against render.yaml",
        "platform.service",
        _changed(WORKER, service={"autoDeploy": "no"}),
        _changed(WORKER, service={"autoDeploy": "yes"}),
        "warning",
    ),
    Fault(
        "render-build-failed",
        "the build of nexus-api fails for a pin without a wheel; the deploy before stays live",
        "platform.deploys",
        _deployed(
            API, "build_failed", "ERROR: No matching distribution found for pydantic-core==2.14.6", commit=OTHER_COMMIT
        ),
        _deployed(API, "live"),
        "warning",
    ),
    Fault(
        "render-migration-failed",
        "the pre-deploy command of nexus-api fails; the deploy before stays live",
        "platform.deploys",
        _deployed(API, "pre_deploy_failed", commit=OTHER_COMMIT),
        _deployed(API, "live"),
        "warning",
    ),
    Fault(
        "render-update-failed",
        "the new instance of nexus-bot does not get healthy; the deploy before stays live",
        "platform.deploys",
        _deployed(BOT, "update_failed", commit=OTHER_COMMIT),
        _deployed(BOT, "live"),
        "warning",
    ),
    _built(
        "render-python-unpinned",
        "nexus-api is built with Render's default Python: its pin is not read",
        "==> Using Python version 3.14.3 (default)",
    ),
    _built(
        "render-package-compiled",
        "a package of nexus-api is compiled, for want of a wheel",
        "  Building wheel for asyncpg (pyproject.toml): started",
    ),
    Fault(
        "render-import-error",
        "nexus-worker logs an import error as it starts after a deploy",
        "platform.runtime_logs",
        _changed(
            WORKER,
            deploy={"status": "live", "commit": COMMIT},
            logs=["Traceback (most recent call last):", IMPORT_ERROR],
        ),
        _changed(WORKER, forget_logs=["Traceback", IMPORT_ERROR]),
        "warning",
    ),
    Fault(
        "render-deprecation",
        "nexus-api logs a deprecation warning",
        "platform.runtime_logs",
        _changed(API, logs=["app.py:7: PydanticDeprecatedSince20: `parse_obj` is deprecated"]),
        _changed(API, forget_logs=["PydanticDeprecatedSince20"]),
        "warning",
    ),
    Fault(
        "render-out-of-memory",
        "nexus-worker is killed twice for using more memory than its plan has, and its log says so",
        "platform.events",
        _changed(WORKER, events=[_killed_for_memory] * 2, logs=[OUT_OF_MEMORY] * 2),
        _changed(WORKER, forget_events=["server_failed"], forget_logs=[OUT_OF_MEMORY]),
        "warning",
    ),
    _noted("render-crash-loop", "nexus-worker exits with status 1, twice", WORKER, _exited, _exited),
    _noted("render-restarts", "nexus-api is restarted twice within an hour", API, _restarted, _restarted),
    _noted(
        "render-maintenance",
        "Render's maintenance of nexus-api begins",
        API,
        _maintained,
    ),
    Fault(
        "render-memory-full",
        "nexus-worker has used 95 % of its memory for minutes",
        "platform.resources",
        _changed(WORKER, memory_share=0.95),
        _changed(WORKER, memory_share=0.4),
        "warning",
    ),
    Fault(
        "render-cpu-busy",
        "nexus-api has used 90 % of its processor for minutes",
        "platform.resources",
        _changed(API, cpu_share=0.9),
        _changed(API, cpu_share=0.1),
        "warning",
    ),
    Fault(
        "render-second-beat",
        "the old instance of nexus-beat still runs beside the new one, long after a deploy",
        "platform.instances",
        _changed(BEAT, instances_seconds=[2 * LONG_SECONDS, LONG_SECONDS]),
        _changed(BEAT, instances_seconds=[LONG_SECONDS]),
        "warning",
    ),
    Fault(
        "render-no-instance",
        "nexus-worker has no instance",
        "platform.instances",
        _changed(WORKER, instances_seconds=[]),
        _changed(WORKER, instances_seconds=[LONG_SECONDS]),
        "warning",
    ),
    Fault(
        "render-commit-drift",
        "nexus-bot alone is deployed with another commit than the other services",
        "platform.commit",
        _deployed(BOT, "live", commit=OTHER_COMMIT),
        _deployed(BOT, "live"),
        "warning",
    ),
    _unanswered("render-api-down", "Render's API answers 503 for longer than is bearable", 503),
    _unanswered("render-key-revoked", "Render refuses the key, and nothing can be seen through its API", 401),
)
