"""Each metric that a task may be chosen by, on resampled rows, against the task's own metric over the drawn rows."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from analysis.resampling import METRICS, resample_scores, score_runs
from analysis.run import Predictions
from analysis.scores import score, select_scored
from heads import Classes, LabelSets, LabelSpace, Scores, YesNo
from tasks import Classification, Example, InputError, MultiLabel, Regression, Source, Task
from tasks.metrics import LOWER_IS_BETTER, MetricName, check_metric

ROWS, SAMPLES = 40, 6
SPACES: dict[str, LabelSpace] = {"class": Classes(6), "yes/no": YesNo(), "sets": LabelSets(5), "scores": Scores(0, 5)}
READING = {"source": Source(dev="dev.csv"), "texts": ("text",)}


def fits(metric: MetricName, space: LabelSpace) -> bool:
    try:
        check_metric(metric, space)
    except ValueError:
        return False
    return True


FITTING = [(kind, metric) for kind, space in SPACES.items() for metric in METRICS if fits(metric, space)]


def make_task(kind: str, metric: MetricName) -> Task:
    if kind == "scores":
        return Regression(**READING, label="label", low=0, high=5, metrics=(metric,))
    names = [str(number) for number in range(SPACES[kind].num_classes)]
    if kind == "sets":
        return MultiLabel(**READING, classes=tuple(names), separator=";", metrics=(metric,))
    return Classification(**READING, label="label", classes=tuple(names), metrics=(metric,))


def draw(kind: str, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return labels and probabilities or scores: coarse ones, so that many are tied, of rare and of absent classes."""
    if kind == "scores":
        labels = rng.integers(0, 6, ROWS).astype(float)
        return labels, np.round(labels + rng.normal(size=ROWS), 1)
    size = SPACES[kind].num_classes
    if kind == "sets":
        labels = (rng.random((ROWS, size)) < [0.5, 0.3, 0.05, 0.0, 0.2]).astype(float)  # one label applies nowhere
        return labels, np.round(rng.random((ROWS, size)) * [1, 1, 1, 0.9, 0.4], 1)  # one is never predicted
    shares = np.array([0.5, 0.5] if size == 2 else [0.4, 0.3, 0.2, 0.1, 0, 0])  # one class is only predicted, one never
    labels = rng.choice(size, ROWS, p=shares).astype(float)
    logits = np.round(rng.random((ROWS, size)) * 4 * ([1, 1] if size == 2 else [1, 1, 1, 1, 1, 0]))
    return labels, np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 6)  # as a file has them


def predict(task: Task, labels: NDArray[np.float64], answers: NDArray[np.float64]) -> Predictions:
    decided = task.labels.decide(torch.from_numpy(answers)).double().numpy()
    shares = None if answers.ndim == 1 else answers
    return Predictions(task, [Example(str(row), ("",), None) for row in range(len(labels))], labels, decided, shares)


def take(found: Predictions, rows: Sequence[int] | NDArray[np.int64]) -> Predictions:
    shares = None if found.probabilities is None else found.probabilities[rows]
    return Predictions(found.task, [], found.labels[rows], found.predictions[rows], shares)


def stack(runs: Sequence[Predictions], metric: MetricName) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    labels, predictions = zip(*(select_scored(run, metric, "run") for run in runs), strict=True)
    return labels[0], np.stack(predictions)


def test_every_metric_that_may_be_the_first_one_is_there() -> None:
    assert set(METRICS) == set(get_args(MetricName)) - LOWER_IS_BETTER
    assert len(FITTING) == 48


@pytest.mark.parametrize(("kind", "metric"), FITTING)
def test_a_resample_has_the_score_that_the_task_gives_the_drawn_rows(kind: str, metric: MetricName) -> None:
    rng, task = np.random.default_rng(4), make_task(kind, metric)
    labels, first = draw(kind, rng)
    runs = [predict(task, labels, answers) for answers in (first, draw(kind, rng)[1])]
    found = score_runs(metric, *stack(runs, metric))
    assert found == pytest.approx([score(run)[metric] for run in runs], abs=1e-6, nan_ok=True)
    assert np.isfinite(found).all()
    drawn = resample_scores(metric, *stack(runs, metric), samples=SAMPLES, rng=np.random.default_rng(5))
    rows = np.random.default_rng(5).integers(ROWS, size=(SAMPLES, ROWS))
    expected = [[score(take(run, chosen))[metric] for run in runs] for chosen in rows]
    assert drawn == pytest.approx(np.array(expected), abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(("kind", "metric"), FITTING)
@pytest.mark.parametrize("labels_too", [False, True])
def test_a_score_is_undefined_where_the_tasks_is(kind: str, metric: MetricName, labels_too: bool) -> None:
    """A run that predicts the same for every row, also where all labels are the same."""
    task = make_task(kind, metric)
    labels, answers = draw(kind, np.random.default_rng(4))
    run = predict(task, labels[np.zeros(ROWS, int)] if labels_too else labels, answers[np.zeros(ROWS, int)])
    found = score_runs(metric, *stack([run], metric))
    assert found == pytest.approx([score(run)[metric]], abs=1e-6, nan_ok=True)


def test_a_metric_of_probabilities_needs_their_file() -> None:
    labels, answers = draw("yes/no", np.random.default_rng(4))
    run = predict(make_task("yes/no", "auroc"), labels, answers)
    alone = Predictions(run.task, run.examples, labels, run.predictions, None)
    with pytest.raises(InputError, match=r"a/version_0, task sst: has no file of probabilities .* auroc is computed"):
        select_scored(alone, "auroc", "a/version_0, task sst")
