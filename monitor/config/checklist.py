"""From settings and `monitor.yaml` to the checks that will run and the graph between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from checks.base import Check, CheckConfig
from checks.registry import CHECKS
from monitor.config.found import ABOUT, Found, completed
from monitor.config.learned import learned, pointless
from monitor.config.objectives import objectives_of
from monitor.config.public import unknown_services
from monitor.config.row import Row
from monitor.config.rows import EVERYTHING, NETWORK, ROWS
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
    """Empty where `enabled: false` says so, it is opt-in and not named, or `why` says more."""
    why: str = ""
    """Why it was not found by itself, where somebody looked; or why it makes no sense in this stack."""


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
    found: Found = field(default_factory=Found)
    """What it was built from, beside the settings."""

    def is_same_as(self, other: "Checklist") -> bool:
        """Say whether the same would be looked at, in the same way."""
        mine, its = ({name: check.config for name, check in one.checks.items()} for one in (self, other))
        return mine == its and self.plan == other.plan

    def following(self, before: "Checklist") -> "Checklist":
        """Return it with the checks of `before` where nothing has changed: some remember what they have seen."""
        kept = {
            name: old
            for name, check in self.checks.items()
            if (old := before.checks.get(name)) is not None and old.config == check.config
        }
        return replace(self, checks={**self.checks, **kept})


def build_checklist(settings: Settings, stack: Stack, found: Found | None = None) -> Checklist:
    """Build every check that the settings and what was found allow. Raises UsageError, one line for each mistake."""
    found = found or Found()
    given, skipped = _builtin(settings, stack, found)
    lines: list[str] = []
    findable = _findable(settings)
    lines += _merge(given, skipped, stack, findable)
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
    objectives, wrong = objectives_of(
        stack.slo, policies, {item.id: item.setting or item.why for item in skipped}, findable
    )
    lines += wrong
    if stack.status_page is not None:
        lines += unknown_services(stack.status_page, stack.services, policies)
    if lines:
        raise UsageError(*(f"monitor.yaml: {line}" for line in lines))
    targets = _chat_targets(settings, stack)
    if any(target != FALLBACK.id for target in targets) and settings.alert_bot_token is None:
        raise UsageError("ALERT_BOT_TOKEN: is missing, so nobody could be told in the chats that are given")
    plan = Plan(
        checks=policies | {objective.check_id: policy_of(objective, policies) for objective in objectives},
        chats=_chats(settings, stack),
        rules=Rules(**stack.rules),
        morning=stack.alerts.day_begins,
    )
    checks = {check_id: CHECKS[config.kind](config) for check_id, config in configs.items()}
    return Checklist(checks, plan, tuple(skipped), targets, objectives, found)


def _builtin(settings: Settings, stack: Stack, found: Found) -> tuple[dict[str, dict[str, Any]], list[Skipped]]:
    settings = completed(settings, found)
    things = found.things()
    given: dict[str, dict[str, Any]] = {}
    skipped: list[Skipped] = []
    for row in ROWS:
        missing = [name for name in row.needs if not row.has(settings, name)]
        if missing:
            thing = things.get(missing[0])
            skipped.append(Skipped(row.id, missing[0].upper(), thing.why if thing else ""))
            continue
        if row.is_opt_in and row.id not in stack.checks:
            skipped.append(Skipped(row.id, "", "off until monitor.yaml says enabled: true"))
            continue
        why = row.why_not(settings)
        if why and "url" not in stack.checks.get(row.id, {}):
            skipped.append(Skipped(row.id, "", why))
            continue
        own = stack.checks.get(row.id, {})
        if why := pointless(row.id, found, own):
            skipped.append(Skipped(row.id, "", why))
            continue
        service = getattr(stack.services, row.service, row.service)
        values = {
            "kind": row.id,
            "id": row.id,
            "service": service,
            "checklist": row.checklist,
            **{key: value for key, value in row.given(settings, stack).items() if value is not None},
            "depends_on": _default_parents(row, settings),
            "explained_by": row.explained_by,
        }
        given[row.id] = _with_learned(values, learned(row.id, found, own))
    return given, skipped


def _with_learned(values: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what was found over the values; leave it out where the check cannot take it: no target may stop the start."""
    if not found:
        return values
    try:
        CHECKS[values["kind"]].Config.model_validate({**values, **found})
    except ValidationError:
        return values
    return {**values, **found}


def _default_parents(row: Row, settings: Settings) -> tuple[str, ...]:
    if row.id == EVERYTHING:
        return ()
    return (*row.parents_with(settings), *(NETWORK if row.is_remote else ()), EVERYTHING)


def _findable(settings: Settings) -> frozenset[str]:
    """Return the checks that may yet be built without a further setting, as soon as what they need is found."""
    return frozenset(
        row.id
        for row in ROWS
        if all(
            row.has(settings, name) or (name in ABOUT and getattr(settings, ABOUT[name].source.lower()) is not None)
            for name in row.needs
        )
    )


def _merge(
    given: dict[str, dict[str, Any]], skipped: list[Skipped], stack: Stack, findable: frozenset[str]
) -> list[str]:
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
        elif check_id in waiting and check_id in findable:
            lines += _mistakes_so_far(check_id, values)
        elif check_id in waiting:
            item = waiting[check_id]
            lacking = (
                f"{item.why}; give it a url"
                if item.why and not item.setting
                else f"needs the environment variable {item.setting}"
            )
            lines.append(f"checks.{check_id}: {lacking}")
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


def _mistakes_so_far(check_id: str, values: Mapping[str, Any]) -> list[str]:
    """Return a line for each mistake in the settings of a check that is not found yet."""
    model = CHECKS[check_id].Config
    try:
        model.model_validate({"id": check_id, "service": "?", **values})
    except ValidationError as error:
        lines = mistakes(error, model, f"checks.{check_id}")
        return [line for line in lines if not line.endswith(": is required")]
    return []


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
        slow_ceiling_seconds=config.slow_ceiling_seconds,
        stale_after_seconds=config.stale_after_seconds,
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
