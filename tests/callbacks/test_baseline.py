from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callbacks.baseline import describe_failure, score_baseline
from datamodules import TokenStore
from tasks import Classification, Regression, Source, Task
from tests.tiny import open_data

Stores = Callable[..., tuple[TokenStore, TokenStore]]


@pytest.fixture
def stores(tiny_backbone: Path, tmp_path: Path) -> Stores:
    """Open a train and a dev split with the labels given."""

    def write(kind: type[Task], train: Sequence[float], dev: Sequence[float], **settings: Any) -> tuple[Any, Any]:
        for split, labels in (("train", train), ("dev", dev)):
            lines = [f"film {number}\t{label}" for number, label in enumerate(labels)]
            (tmp_path / f"{split}.tsv").write_text("\n".join(["text\ty", *lines]) + "\n")
        task = kind(source=Source(train="train.tsv", dev="dev.tsv"), texts=("text",), label="y", **settings)
        data = open_data(tiny_backbone, tmp_path, tmp_path / "cache", tasks={"own": task})
        data.prepare_data()
        data.setup("fit")
        return data.stores["train"]["own"], data.stores["dev"]["own"]

    return write


def test_the_most_frequent_training_class_is_predicted_everywhere(stores):
    train, dev = stores(Classification, [0, 2, 2, 1], [2, 0, 1, 2, 2], num_classes=3)
    # Always 2: accuracy 3/5; F1 of class 2 is 2·3/(5+3), of the others 0.
    assert score_baseline(train, dev) == pytest.approx({"accuracy": 0.6, "macro_f1": 0.75 / 3})


def test_it_is_the_training_split_that_decides(stores):
    train, dev = stores(Classification, [1, 1, 0], [0, 0, 0, 1], num_classes=2)
    assert score_baseline(train, dev) == pytest.approx({"accuracy": 0.25, "f1": 2 * 1 / (4 + 1)})


def test_of_equally_frequent_classes_the_first_is_taken(stores):
    train, dev = stores(Classification, [1, 0], [0, 0, 1], num_classes=2)
    assert score_baseline(train, dev) == pytest.approx({"accuracy": 2 / 3, "f1": 0.0})


def test_scores_get_the_mean_and_correlations_are_undefined(stores):
    metrics = ("pearson", "spearman", "mean_absolute_error")
    train, dev = stores(Regression, [0, 1, 5], [2, 4, 3.5], low=0, high=5, metrics=metrics)
    # Always 2: differences 0, 2 and 1.5.
    assert score_baseline(train, dev) == {
        "pearson": None,
        "spearman": None,
        "mean_absolute_error": pytest.approx(3.5 / 3),
    }


def test_a_correlation_of_classes_with_a_constant_is_undefined(stores):
    train, dev = stores(Classification, [1, 1, 0], [0, 0, 1], num_classes=2, metrics=("matthews",))
    assert score_baseline(train, dev) == {"matthews": None}


def test_it_is_scored_on_the_rows_that_were_evaluated(stores):
    train, dev = stores(Classification, [1, 1, 0], [0, 0, 0, 1, 1], num_classes=2)
    assert score_baseline(train, dev, np.array([0, 3, 4])) == pytest.approx({"accuracy": 2 / 3, "f1": 2 * 2 / (4 + 1)})


SOURCE = Source(train="a.csv")
KINDS = Classification(source=SOURCE, texts=("text",), label="y", classes=("no", "yes"))
SCORES = Regression(source=SOURCE, texts=("text",), label="y", low=0, high=5)


@pytest.mark.parametrize(
    ("task", "predictions", "score", "baseline", "said"),
    [
        (KINDS, [1, 1, 1], 0.9, 0.5, "predicts one class only, yes, whatever the text"),
        (SCORES, [2.5, 2.5], None, None, "predicts one score only, 2.500000, whatever the text"),
        (SCORES, [2.5, 2.5004], 0.3, None, "predicts nearly the same score for every text, 2.500000"),
        (KINDS, [1, 0], 0.5, 0.5, "accuracy 0.5000 is no better than 0.5000, that of one prediction for all texts"),
        (SCORES, [1, 3], -0.1, None, "pearson -0.1000 is no better than 0.0000, that of one prediction for all texts"),
        (KINDS, [1, 0], 0.6, 0.5, None),
        (SCORES, [1, 3], 0.1, None, None),
        (SCORES, [1, 3], None, None, None),
        (KINDS, [1], 0.6, 0.5, None),
    ],
)
def test_a_model_that_ignores_the_texts_is_told(task, predictions, score, baseline, said):
    assert describe_failure(task, np.array(predictions, dtype=np.float64), score, baseline) == said
