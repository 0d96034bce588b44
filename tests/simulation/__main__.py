"""Play seeds: `python -m tests.simulation --seed 7` tells one as a story, `--seeds 1000` counts what breaks."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.run import play, stream
from tests.simulation.test_seeds import REACHED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and tell it")
    parser.add_argument("--seeds", type=int, default=100, help="play so many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    if options.seed is not None:
        return tell(options.seed)
    return survey(options.first, options.seeds)


def tell(seed: int) -> int:
    """Tell one seed as a story; 1 when it breaks something."""
    report = play(seed, is_verbose=True)
    print("\n".join(report.story))
    print(*(report.broken or ["nothing is broken"]), sep="\n")
    return int(bool(report.broken))


def survey(first: int, count: int) -> int:
    """Play many on all cores; name those that break something, each with the command that replays it."""
    began = time.perf_counter()
    names: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    broken = 0
    for number, report in enumerate(stream(range(first, first + count)), start=1):
        reached.update(name for name in REACHED if report.counts.get(name))
        if report.broken:
            broken += 1
            names.update({line.split(": ")[1] for line in report.broken})
            print(f"python -m tests.simulation --seed {report.seed}   # {report.kind}, {report.broken[0]}", flush=True)
        if number % 1000 == 0:
            print(f"{number} of {count}, {broken} broken, {time.perf_counter() - began:.0f} s", flush=True)
    rarest = min(REACHED, key=lambda name: reached[name])
    print(f"{broken} of {count} seeds broken, {time.perf_counter() - began:.1f} s", dict(names) if names else "")
    print(
        f"rarest of {len(REACHED)} things that can happen: {rarest}, in {100 * reached[rarest] / count:.2f} % of seeds"
    )
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
