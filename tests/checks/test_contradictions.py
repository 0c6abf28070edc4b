import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contradictions import contradict, find_contradictions


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=30))
def test_the_ceiling_is_that_of_the_most_frequent_label_of_each_text(rows):
    keys, labels = np.array(rows, dtype=np.uint64)[:, 0], np.array(rows, dtype=float)[:, 1]
    found = contradict(keys, labels, is_score=False)
    best = sum(max(np.bincount(labels[keys == key].astype(int))) for key in np.unique(keys))
    assert found.ceiling == pytest.approx(best / len(rows))
    expected = [n for n in range(len(rows)) if len(set(labels[keys == keys[n]])) > 1]
    assert sorted(found.rows.tolist()) == expected
    assert (labels[found.rows] != labels[found.partners]).all()
    assert (keys[found.rows] == keys[found.partners]).all()


def test_the_ceiling_of_scores_is_the_correlation_with_the_mean_of_each_text():
    keys = np.array([1, 1, 2, 3, 3], dtype=np.uint64)
    scores = np.array([0.0, 2.0, 5.0, 3.0, 3.0])
    found = contradict(keys, scores, is_score=True)
    assert found.ceiling == pytest.approx(np.corrcoef([1, 1, 5, 3, 3], scores)[0, 1])
    assert found.rows.tolist() == [0, 1]


def test_rows_without_a_label_contradict_nothing():
    found = contradict(np.array([1, 1], dtype=np.uint64), np.array([np.nan, 1.0]), is_score=False)
    assert (found.rows.size, found.ceiling) == (0, 1.0)
    assert contradict(np.array([1], dtype=np.uint64), np.array([np.nan]), is_score=True).ceiling == 1.0


def test_a_contradiction_is_told_with_both_rows_and_the_best_accuracy(make_splits):
    table = [("a", "Fine!", 1), ("b", "fine", 0), ("c", "dull", 0), ("d", "fine", 1)]
    (found,) = find_contradictions(make_splits({"train": table})["train"])
    assert (found.count, found.level) == (3, "warning")
    assert found.what.endswith("no model can have more than 75 % accuracy on them all")
    assert found.examples[0].where.endswith("line 3")
    assert found.examples[0].remark == "0; line 5 says 1"


def test_a_swapped_contradiction_is_told_by_itself(make_splits):
    table = [("a", "one", "two", 1), ("b", "two", "one", 0), ("c", "x", "y", 0), ("d", "x", "y", 1)]
    ordered, swapped = find_contradictions(make_splits({"train": table})["train"])
    assert (ordered.check, ordered.count) == ("contradictions", 2)
    assert (swapped.check, swapped.count, swapped.level) == ("contradictions-swapped", 2, "note")


def test_scores_that_differ_are_told_with_their_distance(make_splits):
    table = [("a", "one", "two", 4.5), ("b", "one", "two", 4), ("c", "x", "y", 0), ("d", "z", "y", 2)]
    (found,) = find_contradictions(make_splits({"train": table}, classes=0)["train"])
    assert "(labels differ by 0.5 at most)" in found.what
    assert found.level == "note"
