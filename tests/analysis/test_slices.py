from pathlib import Path

import pytest

from analysis.intervals import wilson_interval
from analysis.run import Run
from analysis.slices import count_neighbour_errors, slice_scores
from tests.analysis.written import predict_all, write_run


def table(folder: Path, task: str) -> dict[tuple[str, str], tuple[int, float | None]]:
    slices = slice_scores(Run(folder).read_predictions(task))
    assert len({(one.grouping, one.name) for one in slices}) == len(slices)
    return {(one.grouping, one.name): (one.count, one.score) for one in slices}


def test_slices_of_pairs_by_hand(folder: Path):
    found = table(folder, "same")  # q4 is wrong
    assert found["words that both texts share", "50 to 75 %"] == (3, pytest.approx(2 / 3))
    assert found["words that both texts share", "75 % and more"] == (1, 1.0)
    assert found["the same words in both", "yes"] == (1, 1.0)
    assert found["recurs in the split", "one text"] == (2, 1.0)
    assert found["recurs in the split", "neither text"] == (2, 0.5)
    assert found["negation", "one text"] == (1, 0.0)
    assert found["negation", "none"] == (3, 1.0)
    assert found["numbers", "the same in both"] == (1, 1.0)
    assert found["label (recall)", "yes, same"] == (2, 1.0)
    assert found["label (recall)", "no"] == (2, 0.5)
    assert ("negation", "some") not in found


def test_slices_of_single_sentences_by_hand(folder: Path):
    found = table(folder, "sst")  # s2 is wrong
    assert found["negation", "some"] == (1, 0.0)
    assert found["numbers", "some"] == (2, 1.0)  # "2nd ... 10" and the 1 of the script
    assert found["length of the longest text", "to 10 words"] == (6, pytest.approx(5 / 6))
    assert not any(grouping == "recurs in the split" for grouping, _ in found)


def test_each_grouping_holds_every_example_once(folder: Path):
    for task, count in (("sst", 6), ("same", 4), ("near", 12)):
        found = table(folder, task)
        for grouping in {grouping for grouping, _ in found}:
            assert sum(n for (title, _), (n, _) in found.items() if title == grouping) == count


def test_an_accuracy_has_its_wilson_interval_and_the_share_of_the_largest_class(folder: Path):
    slices = slice_scores(Run(folder).read_predictions("same"))
    one = next(one for one in slices if (one.grouping, one.name) == ("negation", "none"))
    assert one.interval == wilson_interval(3, 3)
    assert one.reference == pytest.approx(2 / 3)
    assert all(one.reference is None for one in slices if one.grouping == "label (recall)")


def test_scores_get_a_correlation_and_the_mean_difference(folder: Path):
    slices = slice_scores(Run(folder).read_predictions("near"))
    one = next(one for one in slices if (one.grouping, one.name) == ("negation", "none"))
    assert one.count == 12
    assert one.score is not None
    assert 0 < one.score < 1
    assert one.interval is not None
    assert one.interval[0] < one.score < one.interval[1]
    assert one.reference == pytest.approx(3.5 / 12)  # t3 is 1.00, predicted 4.5


def test_near_misses_are_counted_where_classes_have_an_order(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "run", root, predict_all(s1="2", s2="4", s3="1")))
    found = count_neighbour_errors(run.read_predictions("sst"))
    assert found is not None
    assert (found.count, found.within_one, found.mistakes, found.adjacent) == (6, 5, 3, 2)
    assert count_neighbour_errors(run.read_predictions("same")) is None
    assert count_neighbour_errors(run.read_predictions("near")) is None
