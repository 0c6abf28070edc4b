import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.labels import name_classes, parse_class, parse_score

FIVE = ("0", "1", "2", "3", "4")


def test_numbered_classes_count_from_zero():
    assert name_classes(5, None) == FIVE


def test_named_classes_keep_their_order():
    assert name_classes(None, ["yes", "no", "maybe"]) == ("yes", "no", "maybe")


@pytest.mark.parametrize(
    ("num_classes", "classes", "message"),
    [
        (None, None, "expected either num_classes (labels 0, 1, ...) or classes (labels by name)"),
        (2, ["a", "b"], "expected either num_classes (labels 0, 1, ...) or classes (labels by name)"),
        (1, None, "has 1 class (expected at least 2)"),
        (0, None, "has 0 classes (expected at least 2)"),
        (-3, None, "has 0 classes (expected at least 2)"),
        (None, [], "has 0 classes (expected at least 2)"),
        (None, ["a"], "has 1 class (expected at least 2)"),
        (None, ["a", "b", "a"], "a class appears twice in a, b, a"),
    ],
)
def test_classes_that_make_no_task(num_classes, classes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        name_classes(num_classes, classes)


@pytest.mark.parametrize(("cell", "label"), [("3", 3), ("3.0", 3), ("0", 0), ("4.000", 4), ("-0.0", 0), ("1e0", 1)])
def test_numbered_classes_may_be_written_as_decimals(cell, label):
    assert parse_class(cell, FIVE, numbered=True) == label


@pytest.mark.parametrize(
    "cell", ["5", "-1", "3.5", "nan", "inf", "-inf", "1e400", "three", "", "3,0", "0x1", "true", "0_1"]
)
def test_cells_that_are_no_numbered_class(cell):
    with pytest.raises(ValueError, match=r"^0 to 4$"):
        parse_class(cell, FIVE, numbered=True)
    with pytest.raises(ValueError, match=r"^0 or 1$"):
        parse_class(cell, FIVE[:2], numbered=True)


def test_named_classes_are_matched_letter_by_letter():
    names = ("3", "1", "yes")
    assert [parse_class(name, names, numbered=False) for name in names] == [0, 1, 2]
    for cell in ("3.0", "0", "2", "Yes", "yes "):
        with pytest.raises(ValueError, match=r"^3, 1, yes$"):
            parse_class(cell, names, numbered=False)


@given(st.integers(2, 50), st.data())
def test_every_class_is_found_again(num_classes, data):
    label = data.draw(st.integers(0, num_classes - 1))
    names = name_classes(num_classes, None)
    assert parse_class(names[label], names, numbered=True) == label
    assert parse_class(str(float(label)), names, numbered=True) == label


@pytest.mark.parametrize(("cell", "score"), [("0", 0.0), ("5", 5.0), ("3.8", 3.8), ("4.9999", 4.9999), ("5e-1", 0.5)])
def test_scores_are_read_whole(cell, score):
    assert parse_score(cell, 0, 5) == score


@pytest.mark.parametrize("cell", ["5.0001", "-0.1", "nan", "inf", "", "3,8", "four", "0_1"])
def test_cells_that_are_no_score(cell):
    with pytest.raises(ValueError, match=r"^a number from 0 to 5(, with a point for the decimals, or decimal: ',')?$"):
        parse_score(cell, 0, 5)


def test_the_range_of_scores_is_named_as_given():
    with pytest.raises(ValueError, match=r"^a number from -1 to 0\.5$"):
        parse_score("1", -1.0, 0.5)


@given(st.floats(-3, 3))
def test_every_score_is_read_back(score):
    assert parse_score(repr(score), -3, 3) == score


def test_classes_called_by_numbers_are_read_as_data_frames_write_a_column_with_gaps():
    stars = ["1", "2", "10", "-1"]
    assert [parse_class(cell, stars, numbered=False) for cell in ("1.0", "10.00", "-1.0")] == [0, 2, 3]
    assert parse_class("1.0", ["1", "1.0"], numbered=False) == 1
    for cell in ("1.5", "3.0", "1.", "01.0", "1,0"):
        with pytest.raises(ValueError, match="1, 2, 10, -1"):
            parse_class(cell, stars, numbered=False)
