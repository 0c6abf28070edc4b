import numpy as np
import pytest
from scipy import stats

from analysis.resampling import resample_scores, score_runs
from experiments.statistics import (
    Interval,
    PairedRuns,
    compare,
    degrees_of_freedom,
    seed_interval,
    williams,
    williams_t,
)

RNG = np.random.default_rng(3)


def simulate(rng: np.random.Generator, *, runs: int, rows: int, shift: float, seed_noise: float) -> np.ndarray:
    """Return predictions (all labels are 1) of runs that differ from each other and share what is hard."""
    hard = np.random.default_rng(0).normal(size=rows)
    ability = shift + seed_noise * rng.normal(size=(runs, 1))
    return (ability + 0.5 * rng.normal(size=(runs, rows)) > hard).astype(float)


@pytest.mark.parametrize("constant", [1.0, 2.4731, 3.3, 1.1])  # most are not their own mean in floats
def test_pearson_of_equal_predictions_is_undefined(constant):
    labels = RNG.normal(size=863)
    equal = np.full((1, 863), constant)
    assert np.isnan(score_runs("pearson", labels, equal)).all()
    assert np.isnan(score_runs("pearson", equal[0], labels[None])).all()
    found = compare({"sts": PairedRuns("pearson", labels, equal, labels[None])}, samples=50)["sts"]
    assert np.isnan([found.estimate, found.low, found.high]).all()


def test_few_undefined_resamples_are_left_out_and_many_make_the_ends_undefined():
    labels = RNG.normal(size=200)
    good = labels + RNG.normal(size=200)
    few, many = (np.where(np.arange(200) < changed, labels, 2.5) for changed in (5, 1))
    drawn = resample_scores("pearson", labels, few[None], samples=2000, rng=np.random.default_rng(0))
    assert 0 < np.isnan(drawn).mean() < 0.05
    kept = compare({"sts": PairedRuns("pearson", labels, few[None], good[None])})["sts"]
    assert kept.low < kept.estimate < kept.high
    undefined = compare({"sts": PairedRuns("pearson", labels, many[None], good[None])})["sts"]
    assert np.isfinite(undefined.estimate)
    assert np.isnan([undefined.low, undefined.high]).all()
    assert not undefined.excludes_zero


def test_a_comparison_repeats_under_its_seed():
    first, second = (simulate(RNG, runs=3, rows=100, shift=shift, seed_noise=0.1) for shift in (0.2, 0.0))
    tasks = {"sst": PairedRuns("accuracy", np.ones(100), first, second)}
    assert compare(tasks) == compare(tasks)
    assert compare(tasks) != compare(tasks, seed=1)


def test_a_system_does_not_differ_from_itself_beyond_its_runs():
    runs = simulate(RNG, runs=1, rows=200, shift=0.2, seed_noise=0.0)
    result = compare({"sst": PairedRuns("accuracy", np.ones(200), runs, runs)})["sst"]
    assert result == Interval(0.0, 0.0, 0.0)  # paired rows: the same rows fall out on both sides


def test_the_mean_is_that_of_the_tasks_and_is_surer_than_each():
    tasks = {
        name: PairedRuns(
            "accuracy",
            np.ones(400),
            simulate(RNG, runs=1, rows=400, shift=0.3, seed_noise=0.0),
            simulate(RNG, runs=1, rows=400, shift=0.0, seed_noise=0.0),
        )
        for name in ("sst", "quora", "other")
    }
    found = compare(tasks)
    assert found["mean"].estimate == pytest.approx(np.mean([found[name].estimate for name in tasks]))
    assert found["mean"].high - found["mean"].low < min(found[name].high - found[name].low for name in tasks)


def test_noise_between_runs_widens_the_interval():
    quiet, noisy = (
        compare(
            {
                "sst": PairedRuns(
                    "accuracy",
                    np.ones(300),
                    *(
                        simulate(np.random.default_rng(n), runs=4, rows=300, shift=0.0, seed_noise=noise)
                        for n in (1, 2)
                    ),
                )
            }
        )["sst"]
        for noise in (0.0, 0.5)
    )
    assert noisy.high - noisy.low > 2 * (quiet.high - quiet.low)


def test_the_noise_of_few_runs_is_known_with_few_degrees_of_freedom():
    # Welch 1947 by hand: parts 0.02 / 2 (one degree) and 0.02 / 4 (three): 0.015^2 / (0.01^2 + 0.005^2 / 3).
    first, second = np.array([0.1, 0.3]), np.array([0.1, 0.3, 0.1, 0.3]) * np.sqrt(3 / 2)
    assert degrees_of_freedom(first, second) == pytest.approx(0.015**2 / (0.01**2 + 0.005**2 / 3))
    reference = stats.ttest_ind(first, second, equal_var=False)
    assert degrees_of_freedom(first, second) == pytest.approx(reference.df)
    assert degrees_of_freedom(first, second[:1]) == 1.0
    assert degrees_of_freedom(first[:1], second[:1], rest=1.0) == np.inf
    assert degrees_of_freedom(first, second, rest=1.0) > 1000


def test_with_many_rows_the_interval_over_runs_is_welchs():
    right = np.array([0.50, 0.56]), np.array([0.48, 0.50, 0.52, 0.58])
    runs = [(np.arange(50_000) < 50_000 * share[:, None]).astype(float) for share in right]
    found = compare({"sst": PairedRuns("accuracy", np.ones(50_000), *runs)})["sst"]
    expected = stats.ttest_ind(*right, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed_noise", [(0.05, 0.05), (0.1, 0.1), (0.3, 0.3), (0.3, 0.03)])
@pytest.mark.parametrize("runs", [(2, 2), (3, 3), (5, 5), (2, 5), (10, 2), (3, 10)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(runs, seed_noise):
    rng, held = np.random.default_rng(7), 0
    for trial in range(300):
        first, second = (
            simulate(rng, runs=count, rows=400, shift=0.1, seed_noise=noise)
            for count, noise in zip(runs, seed_noise, strict=True)
        )
        interval = compare({"sst": PairedRuns("accuracy", np.ones(400), first, second)}, samples=1000, seed=trial)
        held += interval["sst"].low <= 0 <= interval["sst"].high
    is_alike = runs[0] == runs[1] and seed_noise[0] == seed_noise[1]
    assert held / 300 >= (0.92 if is_alike else 0.86)  # else the spread of two or three runs is little to go by


@pytest.mark.slow
def test_the_paired_bootstrap_of_one_run_covers_a_correlation_difference():
    rng, held, trials = np.random.default_rng(11), 0, 150
    for trial in range(trials):
        labels = rng.normal(size=200)
        pair = [(labels + rng.normal(size=200))[None] for _ in range(2)]
        interval = compare({"sts": PairedRuns("pearson", labels, *pair)}, samples=300, seed=trial)["sts"]
        held += interval.low <= 0 <= interval.high
    assert 0.88 <= held / trials <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["macro_f1", "quadratic_kappa", "average_precision"])
def test_the_paired_bootstrap_covers_differences_of_metrics_of_rare_classes(metric):
    rng, held, trials = np.random.default_rng(3), 0, 200
    for trial in range(trials):
        if metric == "average_precision":
            labels = (rng.random(300) < 0.1).astype(float)
            pair = [(labels + rng.normal(size=300))[None] for _ in range(2)]
        else:
            labels = rng.choice(5, 300, p=[0.4, 0.3, 0.2, 0.07, 0.03]).astype(float)
            pair = [np.where(rng.random(300) < 0.4, rng.integers(0, 5, 300), labels)[None] for _ in range(2)]
        interval = compare({"topic": PairedRuns(metric, labels, *pair)}, samples=300, seed=trial)["topic"]
        held += interval.low <= 0 <= interval.high
    assert 0.89 <= held / trials <= 0.99


def test_the_interval_over_seeds_is_that_of_scipy():
    scores = [0.50, 0.52, 0.51, 0.55]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(scores), scale=stats.sem(scores))
    assert seed_interval(scores) == Interval(pytest.approx(0.52), pytest.approx(low), pytest.approx(high))


def test_one_seed_says_nothing_about_the_spread():
    interval = seed_interval([0.5])
    assert interval.estimate == 0.5
    assert np.isnan([interval.low, interval.high]).all()


def test_williams_reproduces_a_published_example():
    # Steiger 1980, case A, n = 103: psych::r.test(103, .4, .5, .1) prints t = -0.89, p = 0.37.
    found = williams_t(0.4, 0.5, 0.1, n=103)
    assert found == pytest.approx(-0.89, abs=0.005)
    assert 2 * stats.t.sf(abs(found), 100) == pytest.approx(0.37, abs=0.005)
    assert williams_t(0.5, 0.4, 0.1, n=103) == -found


@pytest.mark.slow
def test_williams_finds_as_many_false_alarms_as_it_says():
    rng, alarms, trials = np.random.default_rng(5), 0, 1000
    for _ in range(trials):
        labels = rng.normal(size=60)
        alarms += williams(labels, *(labels + rng.normal(size=60) for _ in range(2))) < 0.05
    assert 0.03 <= alarms / trials <= 0.075


def test_williams_sees_a_real_difference_and_none_between_equal_predictions():
    labels = RNG.normal(size=200)
    assert williams(labels, labels * 2, labels * 2) == 1.0
    other = labels + RNG.normal(size=200)
    assert williams(labels, other, 2 * other + 1) == williams(labels, other, other * 1.0000001) == 1.0
    assert williams(labels, labels + RNG.normal(size=200) * 0.3, labels + RNG.normal(size=200) * 2) < 1e-6
