"""A thousand seeds: nothing that must hold is broken, and everything that can happen does."""

from collections import Counter

import pytest

from tests.simulation.run import Report, play, play_many

SEEDS = 1000
REACHED = (
    *("opened down", "opened degraded", "opened stale", "worsened down", "reopened", "rerooted", "symptom_joined"),
    *("symptom_left", "root_joined", "severity_rose", "unstable", "resolved", "closed", "acked", "ack_lapsed"),
    *("silenced", "silence_ended", "dropped", "crash", "jump", "lease over", "commit aborted", "commit answer lost"),
    *("look ok", "look failed", "look degraded", "look unknown"),
    *("send ok", "send 429", "send 5xx", "send refuse", "send before", "send after", "send blocked"),
    *("outcome delivered", "outcome permanent", "outcome ambiguous"),
    *("queued open", "queued rise", "queued reopen", "queued escalate", "queued remind", "queued resolve"),
    *("queued summary", "explained", "fallback was due", "pause", "takeover", "lost the lead", "commit refused"),
    *("beat", "beat withheld", "switch fired", "stuck", "ring"),
)
"""Every transition, every outcome of a send, every kind of message: each in one seed of a hundred at least."""


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return play_many(range(SEEDS))


@pytest.mark.timeout(600)
def test_no_seed_breaks_what_must_hold(reports: list[Report]) -> None:
    broken = [f"python -m tests.simulation --seed {one.seed}: {one.broken[0]}" for one in reports if one.broken]
    assert broken == []


@pytest.mark.timeout(600)
def test_everything_happens_in_one_seed_of_a_hundred(reports: list[Report]) -> None:
    seen = Counter(name for one in reports for name, count in one.counts.items() if count)
    rare = {name: seen[name] for name in REACHED if seen[name] < SEEDS / 100}
    assert rare == {}


def test_a_seed_replays_to_the_same_story() -> None:
    assert play(7, is_verbose=True) == play(7, is_verbose=True)
