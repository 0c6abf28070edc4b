from pathlib import Path

import pytest

from runtime.errors import InputError
from tasks import Classification, MultiLabel, Regression, Source, Task

ROWS = "text;y\none;no\ntwo;No\nthree;YES\nfour;No\nfive;\n"


def refuse(task: Task, root: Path) -> str:
    with pytest.raises(InputError) as error:
        list(task.read("train", root, lambda note: None))
    return str(error.value).removeprefix(f"{root}/train.csv, ")


def test_all_labels_that_are_none_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(ROWS)
    task = Classification(
        source=Source(train="train.csv"), texts=("text",), label="y", classes=("no", "yes"), delimiter=";"
    )

    assert refuse(task, tmp_path) == (
        "line 3: y is 'No' (expected no, yes; 3 rows of the train split hold no such label: 'No' 2, 'YES' 1)"
    )


def test_of_many_unknown_labels_the_most_frequent_are_told(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(
        "text,y\n" + "".join(f"text {n},label {n}\n" for n in range(20)) + "z,label 3\n"
    )
    task = Classification(source=Source(train="train.csv"), texts=("text",), label="y", num_classes=2)

    message = refuse(task, tmp_path)

    assert "21 rows of the train split hold no such label: 'label 3' 2, 'label 0' 1, " in message
    assert message.endswith("... (20 different ones))")


def test_a_damaged_later_row_does_not_hide_the_label(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,y\na,2\nb,3\nc,1,too many\n")
    task = Classification(source=Source(train="train.csv"), texts=("text",), label="y", num_classes=2)

    assert refuse(task, tmp_path) == "line 2: y is '2' (expected 0 or 1)"


def test_a_decimal_comma_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text;y\na;2,5\nb;n/a\n")
    task = Regression(source=Source(train="train.csv"), texts=("text",), label="y", low=0, high=10, delimiter=";")

    assert refuse(task, tmp_path).startswith("line 2: y is '2,5' (expected a number from 0 to 10, with a point for")


def test_an_empty_cell_names_the_settings_that_give_it_a_meaning(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,y\na,\n")
    source = Source(train="train.csv")
    one = Classification(source=source, texts=("text",), label="y", num_classes=2)
    several = MultiLabel(source=source, texts=("text",), label="y", classes=("a", "b"), separator=";")

    way = "missing_labels: ignore takes it as no label, broken_rows: skip leaves such rows out)"
    assert refuse(one, tmp_path) == f"line 2: y is empty (expected a label) ({way}"
    assert refuse(several, tmp_path).endswith(f"(expected a label) (empty_is_none: true says that none applies, {way}")


def test_a_test_split_keeps_rows_whose_label_is_none_and_tells_them_once(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text,y\na,2\nb,1\nc,-1\nd,\ne,7\nf,2\n")
    notes: list[str] = []
    task = Classification(source=Source(test="new.csv"), texts=("text",), label="y", num_classes=2)

    assert [example.label for example in task.read("test", tmp_path, notes.append)] == [None, 1, None, None, None, None]
    told = "new.csv, line 2: y is '2' (expected 0 or 1; 3 rows of the test split hold no such label: '2' 2, '7' 1)"
    assert notes == [f"{tmp_path}/{told}: such rows can be predicted, not scored"]
    with pytest.raises(InputError) as error:
        task.find_unlabelled("test", tmp_path)
    assert str(error.value) == f"{tmp_path}/{told}"


def test_an_empty_text_of_a_test_split_is_said_to_be_predicted_with_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text,y\n,1\n")
    task = Classification(source=Source(test="new.csv"), texts=("text",), label="y", num_classes=2)

    with pytest.raises(InputError, match=r"text is empty .* \(broken_rows: skip predicts such rows too\)"):
        list(task.read("test", tmp_path, lambda note: None))
