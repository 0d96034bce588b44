import math
import random

import pytest

from monitor.engine.baseline import Baseline, is_slow, learn, threshold_seconds

DAY = 86_400.0


def learned(durations: list[float], start: float = 0.0, step: float = 30.0) -> Baseline:
    baseline: Baseline = ()
    for index, seconds in enumerate(durations):
        baseline = learn(baseline, seconds, start + index * step)
    return baseline


def lognormal(count: int, median: float, sigma: float, seed: int = 1) -> list[float]:
    dice = random.Random(seed)
    return [median * math.exp(dice.gauss(0, sigma)) for _ in range(count)]


@pytest.mark.parametrize(("median", "sigma"), [(0.02, 0.1), (0.3, 0.4), (5.0, 0.8)])
def test_median_and_spread_are_learned(median: float, sigma: float) -> None:
    baseline = learned(lognormal(2880, median, sigma))
    assert math.exp(baseline[1]) == pytest.approx(median, rel=0.15)
    assert 1.4826 * baseline[2] == pytest.approx(sigma, rel=0.3)


def test_too_few_looks_are_no_baseline() -> None:
    assert threshold_seconds((), 0.1) is None
    assert threshold_seconds(learned([0.1] * 199), 0.1) is None
    assert threshold_seconds(learned([0.1] * 200), 0.1) == pytest.approx(0.2, rel=0.05)


def test_one_outlier_moves_it_no_more_than_any_other_look() -> None:
    baseline = learned(lognormal(1000, 0.1, 0.2))
    assert learn(baseline, 0.11 + 1e9, 30_000)[1] == pytest.approx(learn(baseline, 0.2, 30_000)[1])


def test_slow_rot_does_not_become_usual_faster_than_a_fifth_a_day() -> None:
    baseline = learned([0.1] * 400)
    start = baseline[1]
    for look in range(2000):
        baseline = learn(baseline, 10.0, DAY + look * 30)
    assert math.exp(baseline[1] - start) == pytest.approx(1.2, rel=0.01)


@pytest.mark.parametrize(
    ("seconds", "floor", "ceiling", "slow"),
    [
        pytest.param(0.9, 0.05, None, True, id="far above what is usual"),
        pytest.param(0.15, 0.05, None, False, id="a little above"),
        pytest.param(0.9, 1.0, None, False, id="below the floor nothing is slow"),
        pytest.param(0.9, 1.0, 0.8, True, id="above the ceiling always"),
        pytest.param(0.9, 0.05, 2.0, True, id="below the ceiling what is usual decides"),
    ],
)
def test_slow_is_judged_by_floor_ceiling_and_what_is_usual(
    seconds: float, floor: float, ceiling: float | None, slow: bool
) -> None:
    assert is_slow(learned(lognormal(500, 0.1, 0.1)), seconds, floor, ceiling) is slow


def test_without_a_baseline_only_the_ceiling_counts() -> None:
    assert not is_slow((), 99.0, 0.1, None)
    assert is_slow((), 99.0, 0.1, 10.0)
