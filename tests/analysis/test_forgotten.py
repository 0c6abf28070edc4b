import csv
from pathlib import Path

import numpy as np
import pytest

from analysis.forgetting import draw_ordinary, find_forgotten
from analysis.forgotten import main
from shortcuts.weak_learner import watch_weak_learner
from tasks.chosen_rows import find_rows
from tests.analysis.written import PAIRS, ROWS, Row, predict_all, write_data, write_run

RNG = np.random.default_rng(0)


def test_rows_are_forgotten_or_never_learnt():
    times = [[0, 1, 1, 0, 1], [0, 0, 1, 1, 1], [0, 1, 0, 1, 1]]
    never, forgotten = find_forgotten(np.array(times, dtype=bool))
    assert never.tolist() == [0]
    assert forgotten.tolist() == [1, 2]
    never, forgotten = find_forgotten(np.array([[True, False]]))  # of one time the errors
    assert (never.tolist(), forgotten.tolist()) == ([1], [])


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 10), (0.9, 90), (0.99, 90)])
def test_ordinary_rows_are_a_share_of_all(share, count):
    hard = np.arange(10, 20)
    found = draw_ordinary(100, hard, share=share, seed=1)
    assert len(set(found.tolist())) == count
    assert not set(found.tolist()) & set(hard.tolist())
    assert found.tolist() == draw_ordinary(100, hard, share=share, seed=1).tolist()


def write_pairs(tmp_path: Path) -> Path:
    """Write a run over pairs of which every tenth is labelled against its overlap."""
    rows: list[Row] = []
    for number in range(120):
        words = [f"word{word}" for word in RNG.permutation(7)[:6]]
        second = words if number % 2 else [f"other{word}" for word in RNG.permutation(7)[:6]]
        says_yes = bool(number % 2) != (number % 10 == 0)
        rows.append((f"q{number}", (" ".join(words), " ".join(second)), "yes, same" if says_yes else "no"))
    write_data(tmp_path / "data", {"same": rows})
    return write_run(tmp_path / "run", tmp_path / "data", {}, tasks=["same"])


def test_a_weak_model_leaves_the_rows_that_speak_against_the_shortcut(tmp_path, capsys):
    run, output = write_pairs(tmp_path), tmp_path / "rows.csv"
    command = [str(run), "--task", "same", "--output", str(output), "--epochs", "3", "--ordinary", "0.5"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "of 120 training rows" in printed
    assert f"train on them: --tasks.same.train_rows {output}" in printed
    with output.open(newline="") as file:
        reasons = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    against = {f"q{number}" for number in range(0, 120, 10)}
    hard = {name for name, reason in reasons.items() if reason != "ordinary"}
    assert len(against & hard) >= 10
    assert len(hard) < 40
    assert len(reasons) - len(hard) == len(hard)
    assert len(find_rows("same", str(output), [f"q{number}" for number in range(120)])) == len(reasons)


def test_a_weak_model_gets_better_with_its_epochs():
    texts = [(f"good {number}" if number % 2 else f"bad {number}",) for number in range(200)]
    labels = np.array([number % 2 for number in range(200)], dtype=np.float64)
    found = watch_weak_learner(texts, labels, epochs=4)
    assert found.shape == (4, 200)
    assert found[-1].mean() == 1.0


def test_earlier_runs_predictions_tell_what_was_forgotten(tmp_path, capsys):
    write_data(tmp_path / "data")
    times = [{"q1": "yes, same"}, {"q1": "yes, same", "q3": "no"}, {"q1": "yes, same"}]
    runs = [write_run(tmp_path / f"run{n}", tmp_path / "data", predict_all(**said)) for n, said in enumerate(times)]
    files = [str(run / "predictions" / "same-dev.csv") for run in runs]  # the same rows are train and dev
    output = tmp_path / "rows.csv"
    assert main([str(runs[0]), "--task", "same", "--output", str(output), "--predictions", *files]) == 0
    assert output.read_text().splitlines() == ["id,reason", "q1,never learnt", "q3,forgotten"]
    assert main([str(runs[0]), "--task", "same", "--output", str(output), "--predictions", *files[1:2]]) == 0
    assert output.read_text().splitlines() == ["id,reason", "q1,never learnt", "q3,never learnt"]
    assert main([str(runs[0]), "--task", "same", "--output", str(output), "--predictions", str(tmp_path / "no")]) == 2
    assert "no: no such file (predict with --data.predict_splits [train] writes it)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--task", "none"], "--task none: no such task (expected sst, same, near)"),
        (["--task", "near"], "--task near: has scores (expected one class a row)"),
        (["--task", "same", "--epochs", "0"], "--epochs is 0 (expected 1 or more)"),
        (["--task", "same", "--ordinary", "1"], "--ordinary is 1.0 (expected 0 to less than 1)"),
    ],
)
def test_bad_input_is_refused(flags, message, tmp_path, capsys):
    write_data(tmp_path / "data")
    run = write_run(tmp_path / "run", tmp_path / "data", predict_all())
    assert main([str(run), "--output", str(tmp_path / "rows.csv"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "rows.csv").exists()


def test_a_run_that_forgot_nothing_is_refused(tmp_path, capsys):
    write_data(tmp_path / "data")
    run = write_run(tmp_path / "run", tmp_path / "data", predict_all())
    files = ["--predictions", str(run / "predictions" / "same-dev.csv")]
    assert main([str(run), "--task", "same", "--output", str(tmp_path / "rows.csv"), *files]) == 2
    assert "no row was forgotten, all are right at the end" in capsys.readouterr().err


def test_a_train_split_with_one_label_alone_is_refused(tmp_path, capsys):
    rows = {**ROWS, "same": [(name, texts, "no") for name, texts, _ in PAIRS]}
    write_data(tmp_path / "data", rows)
    run = write_run(tmp_path / "run", tmp_path / "data", predict_all())
    assert main([str(run), "--task", "same", "--output", str(tmp_path / "rows.csv")]) == 2
    assert "error: --task same: all training rows have one label (expected two or more" in capsys.readouterr().err
