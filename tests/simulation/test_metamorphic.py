"""What must make no difference: when, in which order, beside what, and after which crash."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulation.monitor import START, Simulation
from tests.simulation.world import Span, World, make_world

CHAOS = (1, 3, 5, 13, 27)
SINGLE = (0, 8, 10)


def said(world: World, **options: object) -> list[tuple[float, str, str]]:
    sim = Simulation(world, **options).run()  # type: ignore[arg-type]
    assert sim.watch.broken == []
    return [(one.at_s, one.key, one.root) for one in sim.read]


@pytest.mark.parametrize("seed", CHAOS)
def test_another_date_changes_nothing(seed: int) -> None:
    world = make_world(seed)
    assert said(world, start=START + timedelta(days=400, hours=7)) == said(world)


@pytest.mark.parametrize("seed", CHAOS)
def test_another_order_of_the_checks_changes_nothing(seed: int) -> None:
    assert said(make_world(seed, is_reversed=True)) == said(make_world(seed))


@pytest.mark.parametrize("seed", CHAOS)
def test_one_more_healthy_check_changes_nothing(seed: int) -> None:
    assert said(make_world(seed, extra_check=True)) == said(make_world(seed))


@pytest.mark.parametrize("seed", SINGLE)
def test_a_crash_at_any_time_still_gives_one_ping_with_the_right_name(seed: int) -> None:
    world = make_world(seed)
    fault = world.faults[0]
    for number in range(20):
        at_s = fault.from_s - 10 + number * 7.3
        crashed = replace(world, kind="crashed", crashes=(Span(at_s, at_s + 3.0),))
        sim = Simulation(crashed).run()
        opened = {(one.key, one.root) for one in sim.read if "open" in one.key}
        assert (sim.watch.broken, {root for _, root in opened}, len(opened)) == ([], {fault.check_id}, 1)
        assert [one.key for one in sim.read if "resolve" in one.key] == [f"1:{world.plan.chats[0].id}:resolve:1"]
