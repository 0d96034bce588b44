"""Play seeds: `python -m tests.simulation --seed 7` tells one as a story, `--seeds 1000` counts what breaks."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.run import play, play_many


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and tell it")
    parser.add_argument("--seeds", type=int, default=100, help="play so many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    if options.seed is not None:
        report = play(options.seed, is_verbose=True)
        print("\n".join(report.story))
        print(*(report.broken or ["nothing is broken"]), sep="\n")
        return bool(report.broken)
    began = time.perf_counter()
    reports = play_many(range(options.first, options.first + options.seeds))
    broken = [report for report in reports if report.broken]
    for report in broken[:40]:
        print(f"seed {report.seed} ({report.kind}): {report.broken[0]} (+{len(report.broken) - 1})")
    print(Counter(line.split(": ")[1] for report in broken for line in report.broken[:1]))
    print(f"{len(broken)} of {len(reports)} seeds broken, {time.perf_counter() - began:.1f} s")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
