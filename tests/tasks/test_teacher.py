import re
from pathlib import Path

import numpy as np
import pytest

from tasks import Classification, InputError, Quora, Source, Sst, Sts, Teacher


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_predictions_are_found_by_id_and_averaged(tmp_path):
    write(tmp_path / "a.csv", "id,0,1", "x,0.1,0.9", "y,0.6,0.4", "more,0.5,0.5")
    write(tmp_path / "b.csv", "id,0,1", "y,0.2,0.8", "x,0.3,0.7")
    task = Quora(teacher=Teacher(files=(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))))
    found = task.read_teacher("quora", ["x", "y"])
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.2, 0.8], [0.4, 0.6]]))


def test_a_file_that_an_editor_or_a_spreadsheet_has_saved_is_read(tmp_path):
    """With a byte order mark, carriage returns and blank lines."""
    (tmp_path / "a.csv").write_bytes("\ufeffid,0,1\r\nx,0.1,0.9\r\n\r\n".encode())
    found = Quora(teacher=Teacher(files=(str(tmp_path / "a.csv"),))).read_teacher("quora", ["x"])
    assert found == pytest.approx(np.array([[0.1, 0.9]]))


def test_a_class_may_have_the_name_of_the_column_of_ids(tmp_path):
    write(tmp_path / "a.csv", "id,id,en", "x,0.1,0.9")
    task = Classification(
        source=Source(train="a.tsv", dev="a.tsv"), texts=("text",), label="language", classes=("id", "en"),
        teacher=Teacher(files=(str(tmp_path / "a.csv"),)),
    )  # fmt: skip
    assert task.read_teacher("language", ["x"]) == pytest.approx(np.array([[0.1, 0.9]]))


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,0,1\né,0.1,0.9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.csv, line 2: not UTF-8 text \(.*; expected UTF-8\)$"):
        Quora(teacher=Teacher(files=(str(tmp_path / "a.csv"),))).read_teacher("quora", ["x"])


def test_run_folders_and_patterns_name_the_files_of_the_task(tmp_path):
    for run, score in {"version_0": 1.0, "version_1": 4.0}.items():
        write(tmp_path / run / "predictions" / "sts-train.csv", "id, Predicted_Similarity", f"x, {score}")
    task = Sts(teacher=Teacher(files=(f"{tmp_path}/version_*",)))
    assert task.read_teacher("sts", ["x"]).tolist() == [2.5]
    alone = Sts(teacher=Teacher(files=(str(tmp_path / "version_1"),)))
    assert alone.read_teacher("sts", ["x"]).tolist() == [4.0]


def test_the_folder_of_the_files_is_not_taken_for_that_of_the_run(tmp_path):
    run = tmp_path / "version_0"
    inside = write(run / "predictions" / "sts-train.csv", "id, Predicted_Similarity", "x, 1").parent
    expected = f"task sts: teacher {inside}: lies in a run folder (expected the run folder itself, {run})"
    with pytest.raises(InputError, match=f"^{re.escape(expected)}$"):
        Sts(teacher=Teacher(files=(str(inside),))).read_teacher("sts", ["x"])


def test_a_task_without_a_teacher_has_none():
    assert Sts().read_teacher("sts", ["x"]) is None


def test_a_missing_example_is_named_and_counted(tmp_path):
    path = write(tmp_path / "a.csv", "id,0,1", "x,0.1,0.9")
    with pytest.raises(InputError, match=r"a\.csv: has no prediction for 2 of 3 training .* first with id 'y'"):
        Quora(teacher=Teacher(files=(str(path),))).read_teacher("quora", ["x", "y", "z"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"task sst: teacher .*none\*: no such file or run folder"):
        Sst(teacher=Teacher(files=(f"{tmp_path}/none*",))).read_teacher("sst", [])
    expected = r"task sst: teacher .*predictions/sst-train-probabilities\.csv: no such file .*predict_splits \[train\]"
    with pytest.raises(InputError, match=expected):
        Sst(teacher=Teacher(files=(str(tmp_path),))).read_teacher("sst", [])


@pytest.mark.parametrize(
    ("task", "lines", "message"),
    [
        (Quora, ["id,0,1,2", "x,0,0,1"], r"its columns are id, 0, 1, 2 \(expected id, 0, 1\)"),
        (Quora, ["id,no,yes", "x,0,1"], r"its columns are id, no, yes \(expected id, 0, 1\)"),
        (Quora, ["id,0,1", "x,0.4,0.9"], r"line 2: holds 0\.4, 0\.9 \(expected probabilities that sum to 1\)"),
        (Quora, ["id,0,1", "x,-1,2"], r"line 2: holds -1, 2"),
        (Quora, ["id,0,1", "x,a,b"], r"line 2: holds a, b"),
        (Sts, ["id, Score", "x, nan"], r"line 2: holds nan \(expected one finite score\)"),
        (Sts, ["id, Score", "x, 73"], r"a\.csv: its scores are from 0 to 73 \(expected those of a task from 0 to 5\)"),
        (Sts, ["id, Score", "x, -6"], r"its scores are from -6 to 0 "),
        (Sts, ["id,0,1", "x,0,1"], r"its columns are id, 0, 1 \(expected id, a score\)"),
        (Sts, [""], r"its columns are "),
        (Quora, ["id,0,1", "x,1"], r"line 2: has 2 cells \(expected 3 as in the header\)"),
        (Quora, ["id,0,1", "x,0,1,0"], r"line 2: has 4 cells \(expected 3 as in the header\)"),
    ],
)
def test_a_file_of_something_else_is_refused(task, lines, message, tmp_path):
    path = write(tmp_path / "a.csv", *lines)
    with pytest.raises(InputError, match=message):
        task(teacher=Teacher(files=(str(path),))).read_teacher("task", ["x"])


ANSWERS = np.array([0.0, 1.4, 2.0, 3.2, 4.8, 5.0, np.nan])


@pytest.mark.parametrize("scores", [ANSWERS / 5, ANSWERS / 5 - 0.05, 0.6 * ANSWERS / 5 + 0.25])
def test_scores_of_a_narrower_scale_are_refused(scores, tmp_path):
    found = np.nan_to_num(scores, nan=0.5)
    path = write(tmp_path / "a.csv", "id,score", *(f"{row},{score}" for row, score in enumerate(found)))
    task = Sts(teacher=Teacher(files=(str(path),)))
    ends = f"{found.min():.3g} to {found.max():.3g}"
    expected = rf"a\.csv: its scores are from {ends}, and fit the labels better if 0 to 1 "
    with pytest.raises(InputError, match=expected):
        task.read_teacher("sts", list(map(str, range(len(found)))), known=ANSWERS)


@pytest.mark.parametrize(
    ("scores", "known"),
    [
        ([0.1, 0.5, 0.8], [0.0, 0.4, 1.0]),  # labels of that part of the range
        ([0.9, 0.9, 0.9], [0.0, 1.0, 3.0]),  # says the same of every pair
        ([0.9, 0.7, 1.1], [4.0, 3.0, 5.0]),  # learnt little
        ([0.2, 0.5, 0.9], [np.nan, np.nan, np.nan]),
    ],
)
def test_scores_of_a_weak_teacher_are_not_taken_for_another_scale(scores, known, tmp_path):
    path = write(tmp_path / "a.csv", "id,score", *(f"{row},{score}" for row, score in enumerate(scores)))
    task = Sts(teacher=Teacher(files=(str(path),)))
    assert task.read_teacher("sts", ["0", "1", "2"], known=np.array(known)).tolist() == pytest.approx(scores)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": ()}, "teacher.files is empty"),
        ({"files": ("a",), "weight": 0.0}, "teacher.weight is 0.0"),
        ({"files": ("a",), "weight": 1.5}, "teacher.weight is 1.5"),
        ({"files": ("a",), "temperature": 0.0}, "teacher.temperature is 0.0"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        Teacher(**options)
