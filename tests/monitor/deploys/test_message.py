"""What is said of deploys stays within Telegram's limits, whatever things are called."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.delivery.entities import CALLBACK_BYTES, TEXT_UNITS, units
from monitor.delivery.notes import note_of, note_text
from monitor.deploys.message import refused_message, rollback_message, verdict_message
from monitor.engine.deploy_record import DeployRecord, DeployVerdict, RolledBack, Trouble
from tests.monitor.deploys.place import NEW, OLD, START

LONG = "🧨 ﷽\u202e\nx" * 400
TROUBLES = tuple(Trouble(f"check.{number}.{'n' * 200}", START, LONG, LONG) for number in range(40))
PLAIN = DeployRecord(
    id="dep-1", service="nexus-api", commit=NEW, status="live", started_at=START, seen_at=START, live_at=START
)
FULL = replace(
    PLAIN,
    service=LONG,
    message=LONG,
    broken=TROUBLES,
    broken_before=TROUBLES,
    degraded=TROUBLES,
    elsewhere=tuple(one.check_id for one in TROUBLES),
    can_roll_back_to="dep-0",
    can_roll_back_to_commit=OLD,
    log_end=LONG,
    rolled_back=RolledBack(START, LONG, "dep-0", LONG),
)


@pytest.mark.parametrize("verdict", DeployVerdict)
def test_the_longest_message_fits_and_can_be_kept(verdict: DeployVerdict) -> None:
    record = replace(FULL, verdict=verdict, status=LONG, still_live=LONG)
    for rendered in (
        verdict_message(record, START, dashboard_url="https://monitor.example"),
        verdict_message(replace(record, no_rollback=LONG, can_roll_back_to=""), START),
        rollback_message(record),
        refused_message(record, LONG),
    ):
        assert units(rendered.text) <= TEXT_UNITS
        assert all(entity.offset + entity.length <= units(rendered.text) for entity in rendered.entities)
        assert note_of(note_text(rendered)) == rendered
        for row in rendered.buttons:
            assert all(len((button.callback_data or "").encode()) <= CALLBACK_BYTES for button in row)


def test_an_id_too_long_for_a_button_has_none() -> None:
    record = replace(FULL, id="x" * 60, verdict=DeployVerdict.BROKEN)
    assert verdict_message(record, START).buttons == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verdict": DeployVerdict.UNDECIDED}, "⚪ abc1234 live on nexus-api: no check looks at this service"),
        ({"verdict": DeployVerdict.UNDECIDED, "unseen": 2}, "⚪ abc1234 live on nexus-api: 0 of 2 checks could look"),
        (
            {"verdict": DeployVerdict.PASSED, "passed": 22, "unseen": 1, "ran_seconds": 0.04},
            "✅ abc1234 live on nexus-api: 22 of 22 in 0.1 s, 1 not seen",
        ),
        ({"verdict": DeployVerdict.PASSED, "passed": 23, "commit": ""}, "✅ dep-1 live on nexus-api: 23 of 23"),
        (
            {"verdict": DeployVerdict.DEPLOY_FAILED, "status": "some_new_word"},
            "❌ abc1234 is not live on nexus-api: some new word",
        ),
    ],
)
def test_the_first_line_says_all(changes: dict[str, object], expected: str) -> None:
    record = replace(PLAIN, **changes)  # type: ignore[arg-type]
    assert verdict_message(record, START + timedelta(hours=1)).text == expected
