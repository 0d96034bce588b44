"""From settings and `monitor.yaml` to the checks that will run and the graph between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from checks.base import Check, CheckConfig
from checks.registry import CHECKS
from monitor.config.objectives import objectives_of
from monitor.config.rows import EVERYTHING, NETWORK, ROWS, Row
from monitor.config.settings import Settings
from monitor.config.stack import Stack, mistakes, nearest
from monitor.engine.graph import find_cycle
from monitor.engine.model import Chat, CheckPolicy, Plan, Rules, Severity
from monitor.engine.objectives import Objective, policy_of
from monitor.errors import UsageError

AnyCheck = Check[Any, Any]
OPS = "telegram:ops"
"""The chat of `ALERT_CHAT_ID`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A built-in check that is not built, and the setting that would add it."""

    id: str
    setting: str
    """Empty where `enabled: false` says so, or where it waits for `enabled: true`."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The checks of one stack, with the plan the engine needs of them."""

    checks: Mapping[str, AnyCheck]
    plan: Plan
    skipped: tuple[Skipped, ...]
    chat_targets: Mapping[str, str]
    """The engine's chat id → the Telegram chat id of the configuration."""
    objectives: tuple[Objective, ...] = ()
    """Each stands in the plan as a check of its own, which nobody looks at: the service judges it."""


def build_checklist(settings: Settings, stack: Stack) -> Checklist:
    """Build every check that the settings allow. Raises UsageError with one line for each mistake."""
    given, skipped = _builtin(settings, stack)
    lines: list[str] = []
    lines += _merge(given, skipped, stack)
    configs: dict[str, CheckConfig] = {}
    for check_id, values in given.items():
        try:
            configs[check_id] = _config(values, stack)
        except ValidationError as error:
            lines += mistakes(error, CHECKS[values["kind"]].Config, f"checks.{check_id}")
    lines += _unknown_parents(configs, {*given, *(item.id for item in skipped)})
    configs = {check_id: _with_known_parents(config, configs) for check_id, config in configs.items()}
    cycle = find_cycle({check_id: config.depends_on for check_id, config in configs.items()})
    if cycle:
        lines.append(f"checks.{cycle[0]}.depends_on: goes round in a circle: {' → '.join(cycle)}")
    policies = {check_id: _policy(config) for check_id, config in configs.items()}
    objectives, wrong = objectives_of(stack.slo, policies, {item.id: item.setting for item in skipped})
    lines += wrong
    if lines:
        raise UsageError(*(f"monitor.yaml: {line}" for line in lines))
    targets = _chat_targets(settings, stack)
    if any(target != FALLBACK.id for target in targets) and settings.alert_bot_token is None:
        raise UsageError("ALERT_BOT_TOKEN: is missing, so nobody could be told in the chats that are given")
    plan = Plan(
        checks=policies | {objective.check_id: policy_of(objective, policies) for objective in objectives},
        chats=_chats(settings, stack),
        rules=Rules(**stack.incidents.model_dump()),
    )
    checks = {check_id: CHECKS[config.kind](config) for check_id, config in configs.items()}
    return Checklist(checks, plan, tuple(skipped), targets, objectives)


def _builtin(settings: Settings, stack: Stack) -> tuple[dict[str, dict[str, Any]], list[Skipped]]:
    given: dict[str, dict[str, Any]] = {}
    skipped: list[Skipped] = []
    for row in ROWS:
        missing = [name for name in row.needs if getattr(settings, name) is None]
        if missing or (row.is_off and row.id not in stack.checks):
            skipped.append(Skipped(row.id, missing[0].upper() if missing else ""))
            continue
        service = getattr(stack.services, row.service, row.service)
        given[row.id] = {
            "kind": row.id,
            "id": row.id,
            "service": service,
            "checklist": row.checklist,
            **{key: value for key, value in row.given(settings, stack).items() if value is not None},
            "depends_on": _default_parents(row),
        }
    return given, skipped


def _default_parents(row: Row) -> tuple[str, ...]:
    if row.id == EVERYTHING:
        return ()
    return (*row.parents, *(NETWORK if row.is_remote else ()), EVERYTHING)


def _merge(given: dict[str, dict[str, Any]], skipped: list[Skipped], stack: Stack) -> list[str]:
    """Lay the user's settings over the built-in ones, in place. Returns one line for each mistake."""
    lines: list[str] = []
    waiting = {item.id: item for item in skipped}
    builtin = {row.id for row in ROWS}
    for check_id, own in stack.checks.items():
        values = dict(own)
        enabled = values.pop("enabled", True)
        parents = values.pop("depends_on", [])
        if not isinstance(parents, list) or not all(isinstance(parent, str) for parent in parents):
            lines.append(f"checks.{check_id}.depends_on: {parents!r} must be a list of check ids")
        elif not isinstance(enabled, bool):
            lines.append(f"checks.{check_id}.enabled: {enabled!r} must be true or false")
        elif not enabled:
            if check_id not in builtin:
                lines.append(
                    f"checks.{check_id}.enabled: there is no such check to switch off{nearest(check_id, builtin)}"
                )
            elif given.pop(check_id, None) is not None:
                skipped.append(Skipped(check_id, ""))
        elif "id" in values:
            lines.append(f"checks.{check_id}.id: unknown setting; the id of a check is its key")
        elif check_id in builtin and values.get("kind", check_id) != check_id:
            lines.append(f"checks.{check_id}.kind: {values['kind']!r} must be {check_id!r}, or give yours another id")
        elif check_id in given:
            given[check_id] |= values
            given[check_id]["depends_on"] = (*parents, *given[check_id]["depends_on"])
        elif check_id in waiting:
            lines.append(f"checks.{check_id}: needs the environment variable {waiting[check_id].setting}")
        elif "kind" not in values:
            lines.append(
                f"checks.{check_id}: unknown check{nearest(check_id, builtin) or '; one of yours needs a kind'}"
            )
        elif str(values["kind"]) not in CHECKS:
            lines.append(
                f"checks.{check_id}.kind: {values['kind']!r} is unknown{nearest(str(values['kind']), set(CHECKS))}"
            )
        else:
            above = (*parents, *NETWORK, EVERYTHING)
            given[check_id] = {"id": check_id, "service": check_id.split(".")[0], **values, "depends_on": above}
    return lines


def _config(values: Mapping[str, Any], stack: Stack) -> CheckConfig:
    """Validate one check: its own settings, else `defaults`, else the kind's own."""
    model = CHECKS[values["kind"]].Config
    common = stack.defaults.model_dump(exclude_none=True)
    merged = {**common, **values}
    if "timeout_seconds" not in merged:
        usual = model.model_fields["timeout_seconds"].default
        interval = merged.get("interval_seconds", model.model_fields["interval_seconds"].default)
        if isinstance(interval, int | float) and usual >= interval > 0:
            merged["timeout_seconds"] = 0.8 * interval
    return model.model_validate(merged)


def _unknown_parents(configs: Mapping[str, CheckConfig], known: set[str]) -> list[str]:
    return [
        f"checks.{check_id}.{field}: {parent!r} is no check{nearest(parent, known)}"
        for check_id, config in configs.items()
        for field in ("depends_on", "explained_by")
        for parent in getattr(config, field)
        if parent not in known
    ]


def _with_known_parents(config: CheckConfig, configs: Mapping[str, CheckConfig]) -> CheckConfig:
    """Drop parents that are not built, and say each once."""
    hard = tuple(dict.fromkeys(parent for parent in config.depends_on if parent in configs))
    soft = tuple(dict.fromkeys(parent for parent in config.explained_by if parent in configs))
    return config.model_copy(update={"depends_on": hard, "explained_by": soft})


def _policy(config: CheckConfig) -> CheckPolicy:
    return CheckPolicy(
        id=config.id,
        service=config.service,
        interval_seconds=config.interval_seconds,
        timeout_seconds=config.timeout_seconds,
        retry_seconds=config.retry_seconds,
        confirm_failures=config.confirm.failures,
        confirm_span_seconds=config.confirm.span_seconds,
        confirm_m=config.confirm.of_last_failures,
        confirm_k=config.confirm.of_last_looks,
        recover_successes=config.recover.successes,
        recover_span_seconds=config.recover.span_seconds,
        severity=Severity(config.severity),
        hard_parents=config.depends_on,
        soft_parents=config.explained_by,
        runbook_url=config.runbook_url,
        is_vantage=config.id.startswith("vantage."),
    )


FALLBACK = Chat("apprise:fallback", "apprise", is_fallback=True)
"""One chat for all fallback addresses together: whoever reads one of them is told."""


def _chats(settings: Settings, stack: Stack) -> tuple[Chat, ...]:
    named = tuple(Chat(f"telegram:{chat.name}", is_escalation=chat.escalation) for chat in stack.alerts.chats)
    usual = (Chat(OPS),) if settings.alert_chat_id else ()
    return (*(named or usual), *((FALLBACK,) if settings.fallback_addresses else ()))


def _chat_targets(settings: Settings, stack: Stack) -> dict[str, str]:
    targets = {f"telegram:{chat.name}": chat.chat_id for chat in stack.alerts.chats}
    if not targets and settings.alert_chat_id:
        targets = {OPS: settings.alert_chat_id}
    # Its addresses are secrets: the database learns only where they stand.
    return targets | ({FALLBACK.id: "MONITOR_FALLBACK_URLS"} if settings.fallback_addresses else {})
