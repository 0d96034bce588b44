"""What one look at the truth sees, and in which words it says so."""

from functools import cache

from checks.result import Evidence, Fact, Outcome, Reason, Verdict
from tests.simulation.dice import between, chance, choose
from tests.simulation.world import EGRESS, World

WORDS = (
    "no answer",
    "𝔬𝔭𝔢𝔯𝔞𝔱𝔬𝔯 🧑‍🚒 says <b>&amp; no</b> _*[x](http://y) `z`",
    "\u202edrawer sdrawkcab\u202c \u0000\u0007\ud83d ﷽",
    "🔥" * 1500,
    "a\u0301" * 1500 + "\n" * 50,
    "",
)
"""What a target may answer: plain, in two units a letter, backwards and broken, much too long, nothing."""


def see(world: World, name: str, number: int, at_s: float) -> tuple[Outcome, float]:
    """Return what look `number` of this check sees at this time, and how many seconds it takes."""
    seed, policy = world.seed, world.plan.checks[name]
    seconds = between(0.05, 0.5, seed, "takes", name, number)
    if world.in_span(world.blind, at_s):
        if name == EGRESS:
            return Outcome.FAILED, policy.timeout_seconds
        is_caught = chance(seed, "caught", name, number) < 0.7
        return (Outcome.UNKNOWN if is_caught else Outcome.FAILED), policy.timeout_seconds
    if world.is_down(name, at_s):
        return Outcome.FAILED, between(0.1, policy.timeout_seconds, seed, "fails", name, number)
    mode, share = world.mode_of(name, at_s)
    if mode == "flaky" and chance(seed, "flaky", name, number) < share:
        return Outcome.FAILED, seconds
    if mode == "mute":
        return Outcome.UNKNOWN, seconds
    if mode == "degraded":
        return Outcome.DEGRADED, seconds
    if world.kind == "chaos" and chance(seed, "late", name, number) < 0.003:
        return Outcome.UNKNOWN, seconds
    return Outcome.OK, seconds


def verdict_of(world: World, name: str, outcome: Outcome) -> Verdict:
    """Return the verdict, in the words of this world's target."""
    return _verdict(outcome, "ok" if outcome is Outcome.OK else choose(WORDS, world.seed, "words", name))


@cache
def _verdict(outcome: Outcome, words: str) -> Verdict:
    """Make each once: its words are redacted when it is made, and that takes its time."""
    if outcome is Outcome.OK:
        return Verdict(outcome, words)
    return Verdict(outcome, words, Reason.TIMEOUT, words, Evidence((Fact(words[:200], words),), words))
