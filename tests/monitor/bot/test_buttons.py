"""What a press does, and that doing it twice does no more."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.bot.buttons import Buttons
from monitor.delivery.wording import face_of
from monitor.engine.model import Acked, Incident, IncidentStatus, Rechecked, Severity, Silenced, SilenceEnded
from monitor.engine.morning import Morning
from monitor.verbs import REASON, NotDoneError
from tests.monitor.bot.bench import INCIDENT, NOW, PLAN, STATE, Ground

ANN = "@ann (5)"
FACE = face_of(INCIDENT)


class Bench(Ground):
    def __init__(self, incident: Incident = INCIDENT) -> None:
        super().__init__(replace(STATE, incidents={42: incident}))
        self.buttons = Buttons(self.house)

    async def press(
        self, verb: str, author: str = ANN, *, number: int = 42, revision: int = 3, face: str = FACE
    ) -> str:
        return await self.buttons.press(f"v2:{verb}:{number}:{revision}:{face}", author)


async def test_ack_takes_the_incident_once() -> None:
    bench = Bench()
    assert await bench.press("ack") == "Incident #42 is yours now."
    assert await bench.press("ack", "@bob (6)") == "Incident #42 was taken already, by @ann (5)."
    assert bench.line.applied == [Acked(42, ANN)]


async def test_recheck_looks_at_root_and_present_members_once_in_a_while_and_is_noted_with_who_asked() -> None:
    bench = Bench()
    assert await bench.press("recheck") == "Looking again at 2 checks."
    assert await bench.press("recheck") == "Already looking."
    assert bench.probed == ["redis.ping", "worker.online"]
    assert bench.line.applied == [Rechecked(42, ANN)]
    bench.at += timedelta(seconds=5)
    await bench.press("recheck")
    assert len(bench.probed) == 4


@pytest.mark.parametrize(
    ("verb", "ends_at", "until"),
    [
        ("hush30m", NOW + timedelta(minutes=30), "2026-03-14 15:02 UTC"),
        ("hush1h", NOW + timedelta(hours=1), "2026-03-14 15:32 UTC"),
        ("hushday", NOW.replace(day=15, hour=9, minute=0), "2026-03-15 09:00 UTC"),
    ],
)
async def test_silence_names_its_end_and_does_not_pile_up(verb: str, ends_at: datetime, until: str) -> None:
    bench = Bench()
    assert await bench.press(verb) == f"Incident #42 is silenced until {until}."
    assert await bench.press(verb) == f"Incident #42 is silenced already, until {until}."
    assert bench.line.applied == [Silenced("incident:42", ends_at, ANN, REASON)]


async def test_the_morning_is_the_operators_own() -> None:
    plan = replace(PLAN, morning=Morning(time(7), ZoneInfo("Asia/Tokyo")))
    ground = Ground(STATE, plan)
    await Buttons(ground.house).press(f"v2:hushday:42:3:{FACE}", ANN)
    assert ground.line.applied == [Silenced("incident:42", NOW.replace(hour=22, minute=0), ANN, REASON)]


async def test_silence_until_resolved_outlasts_an_hour_and_an_hour_does_not_shorten_it() -> None:
    bench = Bench()
    await bench.press("hush1h")
    assert await bench.press("hush") == "Incident #42 is silenced until it is resolved."
    assert await bench.press("hush1h") == "Incident #42 is silenced already, until it is resolved."
    assert bench.line.applied == [
        Silenced("incident:42", NOW + timedelta(hours=1), ANN, REASON),
        Silenced("incident:42", None, ANN, REASON),
        SilenceEnded(1, ANN),
    ]


@pytest.mark.parametrize("verb", ["ack", "recheck", "hush30m", "hush1h", "hushday", "hush"])
async def test_nothing_is_done_to_an_incident_that_is_over(verb: str) -> None:
    bench = Bench(replace(INCIDENT, status=IncidentStatus.RESOLVED))
    assert await bench.press(verb) == "#INC-42 is over already."
    assert await bench.press(verb, number=7) == "#INC-7 is over already."
    assert (bench.line.applied, bench.probed) == ([], [])


async def test_a_card_that_is_only_behind_is_served() -> None:
    bench = Bench(replace(INCIDENT, revision=9))
    assert await bench.press("ack", revision=1) == "Incident #42 is yours now."


@pytest.mark.parametrize("verb", ["ack", "recheck", "hush30m", "hush1h", "hushday", "hush"])
async def test_a_message_about_another_fault_does_nothing(verb: str) -> None:
    bench = Bench(replace(INCIDENT, root="api.health", severity=Severity.WARNING, revision=4))
    assert await bench.press(verb) == (
        "#INC-42 is not what this message showed: now it is a warning about api.health. Nothing was done; use its card."
    )
    assert (bench.line.applied, bench.probed) == ([], [])


async def test_a_storm_is_no_longer_about_one_check() -> None:
    bench = Bench(replace(INCIDENT, is_storm=True))
    assert "now it is a page about many failures at once" in await bench.press("ack")


@pytest.mark.parametrize("data", ["", "v1:ack:42:3", "restart:api", "v2:ack:42:3:f:4", "v2:drop:42:3:f"])
async def test_a_forged_button_does_nothing(data: str) -> None:
    bench = Bench()
    assert (await bench.buttons.press(data, ANN)).startswith("This button is not one of mine")
    assert bench.line.applied == []


async def test_a_standby_does_nothing_and_says_so() -> None:
    bench = Bench()
    bench.is_leading = False
    for verb in ("ack", "recheck", "hush1h"):
        with pytest.raises(NotDoneError, match="standby"):
            await bench.press(verb)


async def test_an_answer_fits_whatever_the_name() -> None:
    bench = Bench(replace(INCIDENT, status=IncidentStatus.ACKED, acked_by="x" * 500))
    assert len(await bench.press("ack")) <= 200
    assert len(await Bench(replace(INCIDENT, root="x" * 500)).press("ack")) <= 200
