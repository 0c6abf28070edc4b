"""Prediction of the user's own sentences."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command_line import COLUMNS


@pytest.mark.parametrize(
    ("task", "where", "lines", "columns"),
    [
        ("sst", "-", "a very good film\n\u00fcber dull, slow\n", 5),
        ("quora", "mine.txt", "how can i learn\thow do i learn to play\nis it good\twas it bad\n", 2),
        ("sts", "-", "the cat\tthe dog\na song\ta film\n", 0),
    ],
)
def test_own_sentences_are_predicted(task, where, lines, columns, train, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    (tmp_path / "mine.txt").write_text(lines, encoding="utf-8")
    run_folder = train(
        *["predict", "--data.sentences.task", task, "--data.sentences.file", where, "--data.root", "nowhere"],
        *["--ckpt_path", fitted / "checkpoints" / "last.ckpt"],
    )
    written = {path.name for path in (run_folder / "predictions").iterdir()}
    assert written == {f"{task}-input.csv", *([f"{task}-input-probabilities.csv"] if columns else [])}
    header, *rows = (run_folder / "predictions" / f"{task}-input.csv").read_text().splitlines()
    assert header == f"id, {COLUMNS[task]}"
    assert [row.split(", ")[0] for row in rows] == ["0", "1"]
    if columns:
        with (run_folder / "predictions" / f"{task}-input-probabilities.csv").open(newline="") as file:
            assert [len(row) for row in csv.reader(file)] == [columns + 1] * 3


def test_a_sentence_of_the_dev_split_gets_its_dev_prediction(train, fitted, root, tmp_path):
    with (root / "ids-sst-dev.csv").open(newline="") as file:
        sentences = [row["sentence"] for row in csv.DictReader(file, delimiter="\t")]
    (tmp_path / "mine.txt").write_text("\n".join(sentences) + "\n")
    run_folder = train(
        *["predict", "--data.sentences.task", "sst", "--data.sentences.file", "mine.txt"],
        *["--ckpt_path", fitted / "checkpoints" / "last.ckpt"],
    )

    def read_probabilities(path: Path) -> np.ndarray:
        with path.open(newline="") as file:
            return np.array([row[1:] for row in list(csv.reader(file))[1:]], dtype=float)

    found = read_probabilities(run_folder / "predictions" / "sst-input-probabilities.csv")
    assert found == pytest.approx(read_probabilities(fitted / "predictions" / "sst-dev-probabilities.csv"), abs=2e-6)


def test_the_only_task_needs_no_name_and_blank_lines_are_left_out(train, tmp_path):
    (tmp_path / "mine.txt").write_text("a good film\n\n  \na bad one\n\n")
    own = {"own": {"class_path": "Sst"}}
    train("fit", "--tasks", json.dumps(own), "--trainer.max_steps", 1, config=None)
    flags = ["--tasks", json.dumps(own), "--ckpt_path", train.newest("default")]
    run_folder = train("predict", *flags, "--data.sentences.file", "mine.txt", config=None)
    with (run_folder / "predictions" / "own-input.csv").open(newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["id", "0", "3"]


def test_a_pair_without_a_tab_is_refused_by_line(train, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("one\ttwo\nonly one\n")
    train("fit", "--trainer.max_steps", 1)
    train.refuse("predict", "--data.sentences.task", "sts", "--data.sentences.file", "mine.txt", "--ckpt_path", "last")
    assert "mine.txt, line 2: 'only one' (expected two sentences divided by a tab)" in capsys.readouterr().err
