import math
import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from augmentation import GeneratedPairs
from heads import Scores
from tasks import InputError, PairRegression, Regression, Source

SOURCE = Source(train="a.csv", test="c.csv")


def regression(low: float = 0, high: float = 5) -> Regression:
    return Regression(source=SOURCE, texts=("text",), label="score", low=low, high=high)


def read_labels(task: Regression, folder: Path, cells: list[str], split: str = "train") -> list[float | None]:
    (folder / getattr(task.source, split)).write_text("text,score\n" + "".join(f"words,{cell}\n" for cell in cells))
    return [example.label for example in task.read(split, folder, pytest.fail)]


def test_scores_are_read_as_they_are(tmp_path):
    labels = read_labels(regression(), tmp_path, ["0", "3.8", "4.999", "5.0", " 2.75 "])
    assert labels == [0.0, 3.8, 4.999, 5.0, 2.75]
    assert {type(label) for label in labels} == {float}


@pytest.mark.parametrize("cell", ["5.1", "-0.5", "nan", "inf", "good"])
def test_a_score_out_of_range_is_named_with_its_line(cell, tmp_path):
    message = f"{tmp_path / 'a.csv'}, line 3: score is {cell!r} (expected a number from 0 to 5)"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_labels(regression(), tmp_path, ["1", cell])


def test_minus_one_is_a_score_where_the_range_holds_it(tmp_path):
    assert read_labels(regression(-1, 1), tmp_path, ["-1", "-1.0", "0.5", ""], split="test") == [-1.0, -1.0, 0.5, None]


def test_minus_one_marks_a_secret_test_label_elsewhere(tmp_path):
    assert read_labels(regression(), tmp_path, ["-1", "-1.0"], split="test") == [None, None]


def test_labels_are_scores():
    assert regression(1, 4).labels == Scores(low=1, high=4)
    assert regression().metric_names == ("pearson", "spearman")


def test_a_formatted_score_has_six_decimals():
    assert [regression().format_label(score) for score in (0, 3.8, 2 / 3)] == ["0.000000", "3.800000", "0.666667"]


@pytest.mark.parametrize(("low", "high"), [(5, 0), (3, 3), (0, math.nan), (-math.inf, 1), (0, math.inf)])
def test_an_empty_or_endless_range_is_refused(low, high):
    with pytest.raises(InputError, match=rf"^Regression: low is {low} and high {high} \(expected finite low < high\)$"):
        regression(low, high)


def test_a_regression_is_frozen():
    with pytest.raises(FrozenInstanceError):
        regression().high = 10


def test_a_pair_is_cross_encoded_unless_told_otherwise():
    settings = {"source": SOURCE, "texts": ("a", "b"), "label": "score", "low": 0, "high": 5}
    assert PairRegression(**settings).num_sequences == 1
    assert PairRegression(**settings, encoding="bi").num_sequences == 2


def test_a_decimal_comma_is_read_where_the_task_says_so(tmp_path):
    source = Source(train="a.csv", test="b.jsonl")
    task = replace(regression(high=10), source=source, delimiter=";", decimal=",", missing_labels=(-1,))
    (tmp_path / "a.csv").write_text("text;score\na;6,5\nb;7\nc;-1,0\nd;-1\n")
    (tmp_path / "b.jsonl").write_text('{"text": "a", "score": 6.5}\n{"text": "b", "score": "7.25"}\n')
    assert [example.label for example in task.read("train", tmp_path, pytest.fail)] == [6.5, 7, None, None]
    assert [example.label for example in task.read("test", tmp_path, pytest.fail)] == [6.5, 7.25]
    for cell, reason in (
        ("1.000", "score is '1.000' (expected a number from 0 to 10, with a comma for the decimals)"),
        ("1.000,5", "score is '1.000,5' (expected a number from 0 to 10, with a comma"),
        ("11,5", "(expected a number from 0 to 10)"),
    ):
        (tmp_path / "a.csv").write_text(f"text;score\na;6,5\nb;{cell}\n")
        with pytest.raises(InputError, match=re.escape(reason)):
            list(task.read("train", tmp_path, pytest.fail))
    (tmp_path / "a.csv").write_text("text;score\na;6,5\n")
    with pytest.raises(InputError, match="with a point for the decimals, or decimal: ','"):
        list(replace(task, decimal=".").read("train", tmp_path, pytest.fail))
    pairs = PairRegression(source=SOURCE, texts=("a", "b"), label="y", low=0, high=5, decimal=",",
                           generated_pairs=GeneratedPairs(same=4.5))  # fmt: skip
    assert pairs.format_label(4.5) == "4.500000"
