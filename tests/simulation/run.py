"""Play one seed or many, on all cores."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.simulation.monitor import Simulation
from tests.simulation.outbox import Read
from tests.simulation.world import make_world


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one seed."""

    seed: int
    kind: str
    broken: tuple[str, ...]
    counts: dict[str, int]
    read: tuple[Read, ...]
    story: tuple[str, ...] = ()


def play(seed: int, *, is_verbose: bool = False) -> Report:
    """Play the seed to its end."""
    world = make_world(seed)
    sim = Simulation(world, is_verbose=is_verbose).run()
    story = (f"seed {seed}: {world.kind}", *(f"   {fault}" for fault in world.faults), *sim.story)
    return Report(
        seed, world.kind, tuple(sim.watch.broken), dict(sim.counts), tuple(sim.read), story if is_verbose else ()
    )


def play_many(seeds: Iterable[int]) -> list[Report]:
    """Play all of them; in order of the seeds."""
    return list(stream(seeds))


def stream(seeds: Iterable[int]) -> Iterator[Report]:
    """Play one after the other on each core; yield in order of the seeds, as soon as may be."""
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        yield from pool.imap(play, seeds, chunksize=10)
