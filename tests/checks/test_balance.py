import numpy as np
import pytest

from checks.balance import (
    describe_labels,
    find_class_problems,
    find_constant_labels,
    find_label_shift,
    score_constant,
    summarise,
)


def table(prefix: str, labels: list[object]) -> list[tuple[object, ...]]:
    return [(f"{prefix}{number}", f"text {prefix} {number}", label) for number, label in enumerate(labels)]


def pairs(prefix: str, labels: list[float]) -> list[tuple[object, ...]]:
    return [(f"{prefix}{number}", f"text {prefix} {number}", "other", label) for number, label in enumerate(labels)]


def test_a_class_that_train_lacks_is_an_error_and_one_that_nothing_has_a_warning(make_splits):
    splits = make_splits({"train": table("t", [0, 1, 0]), "dev": table("d", [1, 2, 2])}, classes=5)
    unseen, unused = find_class_problems(splits["train"], [splits["dev"]])
    assert (unseen.check, unseen.level, unseen.count) == ("class-not-in-train", "error", 2)
    assert unseen.what.endswith(": 2")
    assert (unused.check, unused.level) == ("class-unused", "warning")
    assert str(unused) == "films train: no row of any split has a class that the task names: 3, 4"
    scores = make_splits({"train": pairs("t", [1, 2])}, classes=0, name="scores")
    assert list(find_class_problems(scores["train"], [])) == []


def test_the_constant_is_the_most_frequent_class_of_train(make_splits):
    splits = make_splits({"train": table("t", [0, 1, 1]), "dev": table("d", [1, 0, 0, 0]), "test": table("e", [""])})
    assert score_constant(splits["train"], splits["dev"]) == 0.25
    assert score_constant(splits["train"], splits["test"]) is None
    assert describe_labels(splits["dev"]) == {"labelled": 4, "classes": {"0": 3, "1": 1}}
    assert describe_labels(splits["test"])["labelled"] == 0


def test_scores_are_told_as_a_histogram(make_splits):
    rows = make_splits({"train": pairs("t", [0, 0.2, 5, 2.6])}, classes=0)["train"]
    described = describe_labels(rows)
    assert described["histogram"]["counts"] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert described["mean"] == pytest.approx(1.95)
    assert summarise(described) == "mean 1.95, sd 2.04  █▁▁▁▁▅▁▁▁▅"
    assert score_constant(rows, rows) is None


def test_a_split_with_one_label_is_told(make_splits):
    splits = make_splits({"train": table("t", [1, 1, 1]), "dev": table("d", [0, 1])})
    (found,) = find_constant_labels(splits["train"])
    assert (found.check, found.count, found.what) == ("one-label", 3, "have the same label: 1")
    assert list(find_constant_labels(splits["dev"])) == []


def test_another_spread_of_labels_is_told_where_it_is_no_chance(make_splits):
    many = make_splits({"train": table("t", [0, 1] * 200), "dev": table("d", [0, 0, 0, 1] * 60)})
    (found,) = find_label_shift(many["train"], many["dev"])
    assert (found.check, found.count) == ("label-shift", 60)
    assert found.what.endswith("class 0 75.0%, there 50.0%")
    few = make_splits({"train": table("t", [0, 1] * 4), "dev": table("d", [0, 0, 0, 1])}, name="few")
    assert list(find_label_shift(few["train"], few["dev"])) == []
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0, 3, 150).round(2).tolist(), rng.uniform(2, 5, 150).round(2).tolist()
    scores = make_splits({"train": pairs("t", low), "dev": pairs("d", high)}, classes=0, name="scores")
    (found,) = find_label_shift(scores["train"], scores["dev"])
    assert found.count > 75
