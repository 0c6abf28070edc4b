import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from heads import Classes, YesNo
from tasks import Classification, Example, InputError, PairClassification, Source

SOURCE = Source(train="a.csv", dev="b.csv", test="c.csv")


def read_labels(task: Classification, folder: Path, cells: list[str], split: str = "train") -> list[int | None]:
    (folder / getattr(task.source, split)).write_text("text,label\n" + "".join(f"words,{cell}\n" for cell in cells))
    return [example.label for example in task.read(split, folder, pytest.fail)]


def numbered(num_classes: int) -> Classification:
    return Classification(source=SOURCE, texts=("text",), label="label", num_classes=num_classes)


def named(*classes: str) -> Classification:
    return Classification(source=SOURCE, texts=("text",), label="label", classes=classes)


def test_numbered_classes_are_read_as_integers(tmp_path):
    labels = read_labels(numbered(5), tmp_path, ["3", "3.0", " 4 ", "0"])
    assert labels == [3, 3, 4, 0]
    assert {type(label) for label in labels} == {int}


def test_named_classes_are_read_as_their_index(tmp_path):
    assert read_labels(named("contradiction", "neutral", "entailment"), tmp_path, ["neutral", "entailment"]) == [1, 2]


def test_classes_named_by_numbers_are_names(tmp_path):
    task = named("1", "2", "10")
    assert read_labels(task, tmp_path, ["10", "1", "2.0"]) == [2, 0, 1]
    message = f"{tmp_path / 'a.csv'}, line 2: label is '1.5' (expected 1, 2, 10)"
    with pytest.raises(InputError, match=re.escape(message)):
        read_labels(task, tmp_path, ["1.5"])


@pytest.mark.parametrize(
    ("task", "cell", "expected"),
    [
        (numbered(2), "2", "0 or 1"),
        (numbered(2), "true", "0 or 1"),
        (numbered(5), "5", "0 to 4"),
        (numbered(5), "2.5", "0 to 4"),
        (numbered(5), "-1", "0 to 4"),
        (named("no", "yes"), "Yes", "no, yes"),
    ],
)
def test_a_label_that_is_no_class_is_named_with_its_line(task, cell, expected, tmp_path):
    message = f"{tmp_path / 'a.csv'}, line 3: label is {cell!r} (expected {expected})"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_labels(task, tmp_path, [task.class_names[0], cell])


@pytest.mark.parametrize("task", [numbered(5), named("a", "b", "c"), named("1", "0")])
def test_a_formatted_label_is_read_back(task):
    for label, name in enumerate(task.class_names):
        assert task.format_label(label) == name
        assert task.format_label(float(label)) == name
        assert task.parse_label(task.format_label(label)) == label


def test_two_classes_are_a_yes_no_question():
    assert numbered(2).labels == named("no", "yes").labels == YesNo()
    assert named("a", "b", "c").labels == numbered(3).labels == Classes(3)


def test_a_class_called_minus_one_is_read_in_a_test_split(tmp_path):
    assert read_labels(named("-1", "1"), tmp_path, ["-1", "1"], split="test") == [0, 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "expected either num_classes (labels 0, 1, ...) or classes (labels by name)"),
        ({"num_classes": 2, "classes": ("a", "b")}, "expected either num_classes (labels 0, 1, ...) or classes"),
        ({"num_classes": 1}, "has 1 class (expected at least 2)"),
        ({"classes": ("a", "a")}, "a class appears twice in a, a"),
    ],
)
@pytest.mark.parametrize("build", [Classification, PairClassification])
def test_settings_that_make_no_classes(build, settings, message):
    texts = ("text",) if build is Classification else ("a", "b")
    with pytest.raises(InputError, match=f"^{build.__name__}: {re.escape(message)}"):
        build(source=SOURCE, texts=texts, label="label", **settings)


def test_a_pair_is_read_side_by_side(tmp_path):
    (tmp_path / "a.csv").write_text('id,a,b,label\nx,"one, two",three,not entailment\n')
    task = PairClassification(
        source=SOURCE, texts=("a", "b"), label="label", id="id", classes=("entailment", "not entailment")
    )
    assert list(task.read("train", tmp_path, pytest.fail)) == [Example("x", ("one, two", "three"), 1)]


def test_a_task_is_frozen():
    with pytest.raises(FrozenInstanceError):
        numbered(5).num_classes = 3
