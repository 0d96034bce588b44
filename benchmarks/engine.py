"""How fast the engine is, what it keeps per check, and how well it names a fault: `python -m benchmarks.engine`."""

import argparse
import gc
import multiprocessing
import os
import statistics
import sys
import time
import tracemalloc
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from checks.result import Outcome, Result, Verdict
from monitor.engine.model import Chat, CheckPolicy, CheckState, Looked, Plan, State, Tick
from monitor.engine.step import step
from tests.simulation.monitor import Simulation
from tests.simulation.world import OPS, make_world

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Single:
    """What people read of one fault."""

    messages: int
    is_right: bool
    delay_seconds: float
    due_seconds: float
    """The check's interval and two retries: an outage is confirmed no later, but for what the looks take."""


def speed(count: int, looks: int) -> tuple[float, float, float]:
    """Return looks per second, milliseconds per tick, and bytes of state per check with full windows."""
    policies = [CheckPolicy("vantage.egress", "vantage", 30.0, 5.0, 10.0, is_vantage=True)]
    policies += [
        CheckPolicy(f"s{number}.check", f"s{number}", 30.0, 10.0, 10.0, hard_parents=("vantage.egress",))
        for number in range(count - 1)
    ]
    plan = Plan({one.id: one for one in policies}, (Chat(OPS),))
    good = Verdict(Outcome.OK, "ok")
    state = State()
    tracemalloc.start()
    at = START
    for turn in range(16):
        for number, policy in enumerate(policies):
            at = START + timedelta(seconds=30 * turn, microseconds=number)
            state = step(plan, state, Looked(Result(policy.id, good, at, 0.1)), at).state
    gc.collect()
    per_check = tracemalloc.get_traced_memory()[0] / count
    tracemalloc.stop()
    at += timedelta(seconds=30)
    events = [Looked(Result(policies[number % count].id, good, at, 0.1)) for number in range(looks)]
    began = time.perf_counter()
    for number, event in enumerate(events):
        if number and number % count == 0:
            at += timedelta(seconds=30)
        result = Result(event.result.check_id, good, at, 0.1)
        state = step(plan, state, Looked(result), at).state
    rate = looks / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(20):
        step(plan, state, Tick(), at)
    return rate, (time.perf_counter() - began) / 20 * 1000, per_check


def single(seed: int) -> Single:
    """Play a world in which one thing breaks once."""
    world = make_world(seed)
    fault = world.faults[0]
    policy = world.plan.checks[fault.check_id]
    due_seconds = policy.interval_seconds + 2 * policy.retry_seconds
    opened = [one for one in Simulation(world).run().read if one.chat_id == OPS and one.kind in ("open", "reopen")]
    if not opened:
        return Single(0, False, float("inf"), due_seconds)
    is_right = {one.root for one in opened} == {fault.check_id}
    return Single(len(opened), is_right, opened[0].at_s - fault.from_s, due_seconds)


def floor_per_second(count: int) -> float:
    """Return how often a second the least can be done that a look needs: a new check in a new mapping."""
    checks = {f"s{number}.check": CheckState(f"s{number}.check") for number in range(count)}
    turns = max(200, 2_000_000 // (count + 100))
    name = "s0.check"
    began = time.perf_counter()
    for number in range(turns):
        checks = {**checks, name: replace(checks[name], failures_in_row=number)}
    return turns / (time.perf_counter() - began)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="single faults to play")
    options = parser.parse_args()
    for count, looks in ((100, 20_000), (10_000, 20_000)):
        rate, tick, size = speed(count, looks)
        share = rate / floor_per_second(count)
        say(
            f"{count:6} checks: {rate:8.0f} looks/s ({share:.2f} of the floor), {tick:6.2f} ms per tick,"
            f" {size:6.0f} bytes per check"
        )
    say("  the floor: copying the mapping of checks with one check replaced, on this machine, now")
    seeds = [10 * (number // 2) + (0, 8)[number % 2] for number in range(options.seeds)]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        played = pool.map(single, seeds, chunksize=10)
    pings = statistics.mean(one.messages for one in played)
    share = 100 * sum(one.is_right for one in played) / len(played)
    say(f"{len(played)} single faults: {pings:.3f} pings per fault (goal 1.00), {share:.2f} % with the right name")
    say(f"  (goal 99.5 %), exactly one and right in {100 * sum(map(_is_clean, played)) / len(played):.2f} %")
    delays = sorted(one.delay_seconds for one in played)
    ratios = sorted(one.delay_seconds / one.due_seconds for one in played)
    last = int(len(played) * 0.99)
    say(f"  first ping after {statistics.median(delays):.1f} s (median), {delays[last]:.1f} s (p99)")
    say(f"  of the check's interval + 2 retries: {statistics.median(ratios):.2f} (median), {ratios[last]:.2f} (p99)")
    return int(pings != 1.0 or share < 99.5)


def _is_clean(one: Single) -> bool:
    return one.is_right and one.messages == 1


if __name__ == "__main__":
    sys.exit(main())
