"""Remedies against shortcuts on the command line: what is refused, and the whole path of a second stage."""

import json

import pytest

from analysis import debias, forgotten
from tests.cli.command_line import read_report

PRODUCT = ["--tasks.quora.debias", "ProductOfExperts"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            [*PRODUCT, "--tasks.quora.debias.strength", "2"],
            "quora: debias ProductOfExperts: strength is 2.0 (expected 0 to 1)",
        ),
        (
            ["--tasks.sst.debias", "Reweighting"],
            "task sst: debias needs 5 training rows or more of each class",
        ),
        (
            ["--tasks.quora.debias", "ConfidenceRegularization"],
            "tasks.quora: debias ConfidenceRegularization scales what a teacher says, but the task has none",
        ),
        (
            [
                "--tasks.sst.debias",
                "ProductOfExperts",
                "--tasks.sst.head",
                "LinearHead",
                "--tasks.sst.head.loss",
                "OneVsAll",
            ],
            "task sst: Sst: debias ProductOfExperts adds to the logits of a softmax or of yes, or to a score, but",
        ),
        (["--tasks.quora.debias", "Unbias"], "Unbias"),
        (["--tasks.quora.train_rows", "none.csv"], "task quora: train_rows none.csv: no such file"),
    ],
)
def test_a_mistake_is_named_in_one_sentence(flags, message, train, capsys):
    train.refuse("fit", *flags)
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_a_run_is_debiased_and_trained_further_on_what_it_has_wrong(train, tmp_path, capsys):
    first = train("fit", *PRODUCT, "--tasks.sts.debias", "Reweighting", "--trainer.max_steps", 9, quick=False)
    saved = (first / "config.yaml").read_text()
    assert "ProductOfExperts" in saved
    assert "end_strength: null" in saved
    report = read_report(first)
    assert report["steps"] == 9
    predicted = train("predict", "--ckpt_path", "best", "--data.predict_splits", "[train]", *PRODUCT)

    rows = tmp_path / "rows.csv"
    file = predicted / "predictions" / "quora-train.csv"
    assert forgotten.main([str(first), "--task", "quora", "--output", str(rows), "--predictions", str(file)]) == 0
    count = len(rows.read_text().splitlines()) - 1
    assert 0 < count < 12
    capsys.readouterr()
    second = train(
        "fit",
        "--model.init_from",
        first,
        "--tasks.quora.train_rows",
        rows,
        "--trainer.max_steps",
        -1,
        "--trainer.max_epochs",
        1,
    )
    assert read_report(second)["drawn"]["quora"]["examples"] == count
    assert read_report(second)["drawn"]["sts"]["examples"] == 12

    assert debias.main([str(first), "--output", str(tmp_path / "corrected"), "--factor", "0.5"]) == 2
    assert "no dev predictions that a shortcut model could correct" in capsys.readouterr().err  # of twelve rows
    assert json.loads((first / "report.json").read_text()) == report
