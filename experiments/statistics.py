"""How certain a difference between two systems is: intervals over dev rows and seeds, and exact tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from analysis.resampling import resample_scores, score_runs
from analysis.weighted_counts import Floats
from analysis.weighted_moments import SAME
from tasks.metrics import MetricName

FEW = 0.05  # share of resamples that may be undefined


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval that covers the truth with the given confidence.

    Args:
        estimate: The estimate.
        low: Lower end.
        high: Upper end.
    """

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends lie on the same side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class PairedRuns:
    """What the runs of two systems predicted for the same dev rows of a task.

    Args:
        metric: How a run is scored.
        labels: The labels as `score_runs` takes them, (n, ...).
        first: Predictions of each run of the first system, (K, n, ...).
        second: Predictions of each run of the second system, (J, n, ...).
        file: Digest of the file that the rows are of; None where it is that of no other task.
        places: Line or row of it that each row stands on, [n].
    """

    metric: MetricName
    labels: Floats
    first: Floats
    second: Floats
    file: str | None = None
    places: Sequence[int] = ()


def compare(
    tasks: Mapping[str, PairedRuns], *, samples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Return the difference of two systems, first minus second, of each task and of the plain mean over tasks.

    A system's score is the mean over its runs. The interval is from a bootstrap over dev rows, drawn once for all runs
    of both systems (paired) and for all tasks over rows of one file, whose differences rise and fall together. To it
    the noise between runs is added: normal, with the standard error of each system's mean. Since few runs say little
    about that error, the interval is stretched by t quantile / normal quantile, with few degrees of freedom where runs
    are the larger noise and many where rows are. One run says nothing about the noise between runs, and the interval is
    then about the rows and the other system's runs only.

    A difference is undefined where a score is, such as the correlation of a run that predicts the same for every row.
    Resamples in which one is undefined are left out if they are few, a twentieth at most; otherwise the ends of the
    interval are undefined.

    Args:
        tasks: What was predicted, by task.
        samples: Resamples.
        confidence: Share of such intervals that hold the truth.
        seed: Seed of all draws.

    Returns:
        An interval for each task, and `mean`; NaN where undefined.
    """
    cut = len(next(iter(tasks.values())).first)
    scores, drawn = {}, {}
    for name, task in tasks.items():
        both = np.concatenate([task.first, task.second])
        joint = {name: task} if task.file is None else {key: one for key, one in tasks.items() if one.file == task.file}
        rows = np.random.default_rng([seed, crc32("+".join(sorted(joint)).encode())])
        among = _place(task, list(joint.values())) if len(joint) > 1 else None
        drawn[name] = resample_scores(task.metric, task.labels, both, samples=samples, rng=rows, among=among)
        scores[name] = score_runs(task.metric, task.labels, both)
    for parts in (scores, drawn):
        parts["mean"] = np.mean(list(parts.values()), axis=0)
    return {
        name: _difference(
            (scores[name][:cut], scores[name][cut:]),
            drawn[name][:, :cut].mean(axis=1) - drawn[name][:, cut:].mean(axis=1),
            confidence=confidence,
            rng=np.random.default_rng([seed, 1]),
        )
        for name in scores
    }


def _place(task: PairedRuns, joint: Sequence[PairedRuns]) -> tuple[NDArray[np.int64], int]:
    """Return the places of a task's rows among those of all tasks over its file, (n,), and how many those are."""
    numbers = {place: number for number, place in enumerate(dict.fromkeys(row for one in joint for row in one.places))}
    return np.array([numbers[place] for place in task.places], dtype=np.int64), len(numbers)


def _difference(scores: tuple[Floats, Floats], rows: Floats, *, confidence: float, rng: Generator) -> Interval:
    """Return the difference of two systems.

    Args:
        scores: Scores of the runs of each, (K,) and (J,).
        rows: The difference on each resample of the rows, (samples,).
        confidence: Share of such intervals that hold the truth.
        rng: Source of the noise between runs.
    """
    estimate = float(scores[0].mean() - scores[1].mean())
    if np.isnan(estimate) or np.isnan(rows).mean() > FEW:
        return Interval(estimate, float("nan"), float("nan"))
    runs = sum(_error_of_mean(part) ** 2 for part in scores) ** 0.5 * rng.normal(size=len(rows))
    degrees = degrees_of_freedom(*scores, rest=float(np.nanvar(rows)))
    widening = stats.t.ppf((1 + confidence) / 2, degrees) / stats.norm.ppf((1 + confidence) / 2)
    ends = np.nanquantile(rows + runs, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = estimate + widening * (ends - estimate)
    return Interval(estimate, float(low), float(high))


def degrees_of_freedom(first: Floats, second: Floats, *, rest: float = 0.0) -> float:
    """Return the degrees of freedom of the variance of the difference of two systems' mean scores.

    Each system's part, its variance / runs, is known with runs - 1 degrees; a system of one run has no part.

    Args:
        first: Scores of the runs of one system, (K,).
        second: Those of the other, (J,).
        rest: A variance that is known well: that of the rows.

    Returns:
        The degrees of freedom; infinite where the runs of neither differ.

    Source: Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28; Satterthwaite 1946

    Example:
        >>> runs = np.array([0.1, 0.3])
        >>> round(degrees_of_freedom(runs, runs), 6), round(degrees_of_freedom(runs, runs, rest=0.02), 6)
        (2.0, 8.0)
    """
    parts = [(_error_of_mean(scores) ** 2, len(scores) - 1) for scores in (first, second) if len(scores) > 1]
    uncertain = sum(part**2 / degrees for part, degrees in parts)
    return float((rest + sum(part for part, _ in parts)) ** 2 / uncertain) if uncertain > 0 else float("inf")


def _error_of_mean(scores: Floats) -> float:
    """Return the standard error of the mean over runs; 0 for one run, whose noise is unknown."""
    return float(stats.sem(scores)) if len(scores) > 1 else 0.0


def seed_interval(scores: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Return the mean over seeds with its t interval: what another run of the same training would do on average.

    Args:
        scores: One score per seed.
        confidence: Share of such intervals that hold the truth.

    Returns:
        The interval; its ends are NaN for one seed, whose spread is unknown.
    """
    mean = float(np.mean(scores))
    if len(scores) < 2:
        return Interval(mean, float("nan"), float("nan"))
    half = float(stats.t.ppf((1 + confidence) / 2, len(scores) - 1) * stats.sem(scores))
    return Interval(mean, mean - half, mean + half)


def williams(labels: Floats, first: Floats, second: Floats) -> float:
    """Return the p value of Williams' test that two predictions correlate equally with the labels.

    Args:
        labels: Scores, (n,).
        first: Scores predicted by one system, (n,).
        second: Those of the other, (n,).

    Returns:
        The two-sided p value; 1 for predictions that are equal up to scale and offset.

    Source: Williams 1959; Graham & Baldwin 2014, https://aclanthology.org/D14-1020
    """
    if np.array_equal(first, second):
        return 1.0
    correlations = np.corrcoef([labels, first, second])
    if correlations[1, 2] > 1 - SAME:
        return 1.0
    statistic = williams_t(correlations[0, 1], correlations[0, 2], correlations[1, 2], n=len(labels))
    return float(2 * stats.t.sf(abs(statistic), len(labels) - 3))


def williams_t(r12: float, r13: float, r23: float, *, n: int) -> float:
    """Return Williams' t for two correlations that share variable 1, with n - 3 degrees of freedom.

    t = (r12 - r13) * sqrt((n - 1) (1 + r23) / (2 K (n - 1) / (n - 3) + (r12 + r13)^2 / 4 * (1 - r23)^3)),
    K = 1 - r12^2 - r13^2 - r23^2 + 2 r12 r13 r23.

    Args:
        r12: Correlation of the labels with the first predictions.
        r13: Correlation of the labels with the second predictions.
        r23: Correlation of the predictions.
        n: Number of rows, more than 3.

    Example:
        >>> round(williams_t(0.4, 0.5, 0.1, n=103), 2)  # case A of Steiger 1980, as in R's psych::r.test
        -0.89
    """
    determinant = 1 - r12**2 - r13**2 - r23**2 + 2 * r12 * r13 * r23
    spread = 2 * determinant * (n - 1) / (n - 3) + (r12 + r13) ** 2 / 4 * (1 - r23) ** 3
    return float((r12 - r13) * np.sqrt((n - 1) * (1 + r23) / spread))
