"""What is said of a deploy: one verdict, and what is done about it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitor.delivery.entities import (
    CALLBACK_BYTES,
    TEXT_UNITS,
    Button,
    Rendered,
    Span,
    clean,
    clip,
    compose,
    spans_units,
)
from monitor.delivery.wording import can_be_link, moment, name, names, sentence, spell
from monitor.deploys.rollback import button_data, warning_of
from monitor.engine.deploy_record import SHORT, DeployRecord, DeployVerdict, Trouble

LISTED = 6
LOG_UNITS = 900
MESSAGE_UNITS = 120
SECOND = timedelta(seconds=1)
CUT = "\n…"

SIGNS = {
    DeployVerdict.PASSED: "✅",
    DeployVerdict.BROKEN: "❌",
    DeployVerdict.BROKEN_BEFORE: "🟡",
    DeployVerdict.DEPLOY_FAILED: "❌",
    DeployVerdict.CANCELED: "⚪",
    DeployVerdict.SUPERSEDED: "⚪",
    DeployVerdict.UNDECIDED: "⚪",
}
FAILED_WORDS = {
    "build_failed": "the build failed",
    "pre_deploy_failed": "the pre-deploy command failed",
    "update_failed": "the new instance did not get healthy",
}


def verdict_message(
    record: DeployRecord, now: datetime, *, dashboard_url: str | None = None, is_auto: bool = False
) -> Rendered:
    """Return the one message about a deploy that is judged. `is_auto`: it is rolled back at once, nobody is asked."""
    assert record.verdict is not None
    spans = [Span(f"{SIGNS[record.verdict]} "), *_headline(record)]
    if record.message:
        spans.append(Span(f"\n{sentence(record.message, MESSAGE_UNITS)}"))
    after = _after(record, is_auto=is_auto)
    for block in _troubles(record, now):
        if spans_units([*spans, *block, *after]) > TEXT_UNITS - len(CUT):
            spans.append(Span(CUT))
            break
        spans += block
    spans += after
    log_end = clip(clean(record.log_end, keep_lines=True), min(LOG_UNITS, TEXT_UNITS - spans_units(spans) - 1))
    if log_end:
        spans += [Span("\n"), Span(log_end, "expandable_blockquote")]
    return Rendered(*compose(spans), _buttons(record, dashboard_url, is_auto=is_auto))


def rollback_message(record: DeployRecord) -> Rendered:
    """Return the message that a rollback was asked for."""
    asked = record.rolled_back
    assert asked is not None
    spans = [
        Span("↩️ Rolling "), _service(record), Span(" back from "), _commit(record.short), Span(" to "),
        _commit(asked.to_commit[:SHORT]), Span(f", asked by {sentence(asked.by, 100)}."),
        Span(f"\n{warning_of(record)}"),
    ]  # fmt: skip
    return Rendered(*compose(spans))


def refused_message(record: DeployRecord, why: str) -> Rendered:
    """Return the message that Render did not take the rollback."""
    asked = record.rolled_back
    assert asked is not None
    spans = [
        Span("❌ The rollback of "), _service(record), Span(" to "), _commit(asked.to_commit[:SHORT]),
        Span(f" was not taken: {sentence(why, 300)}\nLook at its deploys on Render; it is not asked for again."),
    ]  # fmt: skip
    return Rendered(*compose(spans))


def _headline(record: DeployRecord) -> list[Span]:
    commit, service = _commit(record.short), _service(record)
    match record.verdict:
        case DeployVerdict.DEPLOY_FAILED:
            what = FAILED_WORDS.get(record.status, sentence(record.status.replace("_", " "), 40))
            return [commit, Span(" is not live on "), service, Span(f": {what}")]
        case DeployVerdict.CANCELED:
            return [commit, Span(" on "), service, Span(": the deploy was cancelled")]
        case DeployVerdict.SUPERSEDED:
            return [commit, Span(" on "), service, Span(": another deploy followed before it could be judged")]
        case DeployVerdict.UNDECIDED if record.live_at is None:
            return [commit, Span(" on "), service, Span(": nothing was heard of the deploy for hours")]
        case DeployVerdict.UNDECIDED:
            seen, all_of_it = record.total, record.total + record.unseen
            why = f"{seen} of {all_of_it} checks could look" if record.unseen else "no check looks at this service"
            return [commit, Span(" live on "), service, Span(f": {why}")]
        case _:
            took = "" if record.ran_seconds is None else f" in {max(0.1, record.ran_seconds):.1f} s"
            said = f"{record.passed} of {record.total}{took}"
            unseen = f", {record.unseen} not seen" if record.unseen else ""
            back = " (a rollback)" if record.trigger == "rollback" else ""
            return [commit, Span(" live on "), service, Span(f"{back}: {said}{unseen}")]


def _troubles(record: DeployRecord, now: datetime) -> Iterator[list[Span]]:
    """Yield what is wrong, the most telling first."""
    new = tuple(one for one in record.degraded if one.since >= record.started_at)
    yield from _lines("\n🔴 ", record.broken, record, now)
    yield from _lines("\n🟡 ", new, record, now)
    if record.elsewhere and record.broken:
        yield [Span("\nAlso down since then: "), *names([name(check) for check in record.elsewhere], LISTED)]
    old = (*record.broken_before, *(one for one in record.degraded if one not in new))
    if old:
        yield [Span("\n\nNot by this deploy:")]
        yield from _lines("\n▫️ ", old, record, now)


def _lines(sign: str, troubles: tuple[Trouble, ...], record: DeployRecord, now: datetime) -> Iterator[list[Span]]:
    for trouble in troubles[:LISTED]:
        spans = [Span(sign), name(trouble.check_id), Span(" since "), moment(trouble.since, now)]
        if record.live_at is not None and trouble.since >= record.live_at:
            after = trouble.since - record.live_at
            spans.append(Span(f", {spell(after)} after it was live" if after >= SECOND else ", as it went live"))
        if trouble.because_of:
            spans += [Span(", because of "), name(trouble.because_of)]
        summary = sentence(trouble.summary, 160)
        yield [*spans, Span(f": {summary}")] if summary else spans
    if len(troubles) > LISTED:
        yield [Span(f"{sign}and {len(troubles) - LISTED} more")]


def _after(record: DeployRecord, *, is_auto: bool) -> list[Span]:
    if record.verdict is DeployVerdict.DEPLOY_FAILED and record.still_live:
        return [Span("\n"), _commit(record.still_live[:SHORT]), Span(" is still live.")]
    if record.can_roll_back_to and not is_auto:
        to = _commit(record.can_roll_back_to_commit[:SHORT])
        return [Span("\n\nBefore it "), to, Span(f" was live. {warning_of(record)}")]
    if record.no_rollback:
        return [Span(f"\n\nNo rollback is offered: {sentence(record.no_rollback, 200)}.")]
    return []


def _buttons(record: DeployRecord, dashboard_url: str | None, *, is_auto: bool) -> tuple[tuple[Button, ...], ...]:
    rows: list[tuple[Button, ...]] = []
    data = button_data(record)
    if record.can_roll_back_to and not is_auto and len(data.encode()) <= CALLBACK_BYTES:
        text = f"↩️ Roll back to {record.can_roll_back_to_commit[:SHORT]}"
        rows.append((Button(text, callback_data=data, style="danger"),))
    if record.verdict is not DeployVerdict.PASSED and dashboard_url is not None and can_be_link(dashboard_url):
        rows.append((Button("🔗 Deploys", url=f"{dashboard_url.rstrip('/')}/deploys"),))
    return tuple(rows)


def _commit(text: str) -> Span:
    return Span(clip(clean(text), 40) or "?", "code")


def _service(record: DeployRecord) -> Span:
    return Span(clip(clean(record.service), 60) or "?", "bold")
