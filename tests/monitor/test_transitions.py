from structlog.testing import capture_logs

from monitor.engine.model import AppendTimeline, CheckState, CheckStatus, State
from monitor.transitions import log_transitions
from tests.stores import T0


def state(**statuses: CheckStatus) -> State:
    return State(checks={name: CheckState(name, status=status) for name, status in statuses.items()})


def test_a_check_that_changed_and_a_row_of_a_timeline_are_one_line_each() -> None:
    before = state(redis=CheckStatus.UP, api=CheckStatus.UP)
    after = state(redis=CheckStatus.DOWN, api=CheckStatus.UP, new=CheckStatus.UP)
    with capture_logs() as logs:
        log_transitions(before, after, (AppendTimeline(7, T0, "monitor", "opened", "redis does not answer"),))
    assert logs == [
        {"event": "check.state_changed", "check": "redis", "state": "down", "was": "up", "log_level": "info"},
        {
            "event": "incident.timeline",
            "incident": 7,
            "kind": "opened",
            "by": "monitor",
            "text": "redis does not answer",
            "log_level": "info",
        },
    ]


def test_a_step_that_changes_nothing_says_nothing() -> None:
    same = state(redis=CheckStatus.UP)
    with capture_logs() as logs:
        log_transitions(same, same, ())
        log_transitions(same, state(redis=CheckStatus.UP), ())
    assert logs == []
