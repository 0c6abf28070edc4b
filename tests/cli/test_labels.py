"""Gaps, several labels a row, and classes of unequal size, through the command line."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonargparse import ArgumentParser
from transformers import pipeline

from analysis import ensemble, report, thresholds
from analysis.plan import plan_training
from analysis.run import Run
from inference import Predictor, export
from runtime.run_folders import note_best
from tasks import Task
from tests.cli.command_line import ROOT, CommandLine, best_checkpoint, read_report

STARS = ["0", "", "2", "1", "NA", "2", "0", "", "1", "2"]


def configure(folder: Path, class_path: str, rows: list[str], **settings: Any) -> Path:
    """Write a file whose rows are texts and labels, and the configuration of a task over it."""
    lines = [f"film {number}\t{label}" for number, label in enumerate(rows)]
    (folder / "own.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n")
    source = {"train": str(folder / "own.tsv"), "dev": str(folder / "own.tsv")}
    task = {"source": source, "texts": ["text"], "label": "label", **settings}
    (folder / "own.yaml").write_text(json.dumps({"tasks": {"own": {"class_path": class_path, "init_args": task}}}))
    return folder / "own.yaml"


def test_gaps_are_predicted_and_neither_trained_on_nor_scored(
    train: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"num_classes": 3, "missing_labels": ["", "NA", -1], "metrics": ["accuracy", "auroc"]}
    folder = train("fit", config=configure(train.folder, "Classification", STARS, **settings))
    report = read_report(folder)
    counts = {key: value for key, value in report["data"]["own"]["train"].items() if key in ("rows", "labelled")}
    assert counts == {"rows": 10, "labelled": 7}
    assert sum(one["rows"] for one in report["classes"]["own"].values()) == 7
    lines = (folder / "predictions" / "own-dev.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", *map(str, range(10))]
    run = Run(folder)
    predictions = run.read_predictions("own")
    assert [example.label for example in predictions.examples] == [0, 2, 1, 2, 0, 1, 2]
    assert not predictions.is_partial
    assert plan_training(run)[0]["own"].examples == 7
    assert thresholds.main([str(folder)]) == 2
    assert "has no multi-label task (it has own)" in capsys.readouterr().err


def test_predict_needs_no_labels_and_test_refuses_what_is_none(
    train: CommandLine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = configure(train.folder, "Classification", ["0", "1", "2"], num_classes=3)
    train("fit", config=config)
    (train.folder / "new.tsv").write_text("text\tlabel\nfilm 0\t0\nfilm 1\tgood\nfilm 2\t\n")
    flags = ["--ckpt_path", "best", "--tasks.own.source.test", str(train.folder / "new.tsv")]

    folder = train("predict", *flags, config=config)

    assert [row[0] for row in read_csv(folder / "predictions" / "own-test.csv")] == ["id", "0", "1", "2"]
    assert "new.tsv, line 3: label is 'good' (expected 0 to 2): such rows can be predicted" in caplog.text
    for gaps in ([], ["--tasks.own.missing_labels", "ignore"]):
        train.refuse("test", *flags, *gaps, config=config)
        assert "new.tsv, line 3: label is 'good' (expected 0 to 2)" in capsys.readouterr().err


TAGS = ["film;music", "sport", "", "music", "NA", "film", "sport;film", "music", "film;music;sport", "sport"]
GENRES = ["film", "music", "sport"]
SETS: dict[str, Any] = {
    "classes": GENRES,
    "separator": ";",
    "empty_is_none": True,
    "missing_labels": ["NA"],
    "metrics": ["macro_f1", "micro_f1", "average_precision", "auroc", "exact_match", "hamming_loss"],
}


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def tagged(make_command: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandLine, Path]:
    """A command line, and the run folder of a training on several labels a row."""
    command = make_command(tmp_path_factory.mktemp("tagged"))
    config = configure(command.folder, "MultiLabel", TAGS, **SETS)
    return command, command("fit", "--figures.every_n_validations", 1, config=config)


def test_several_labels_a_row_train_and_are_reported(tagged: tuple[CommandLine, Path]) -> None:
    _, folder = tagged
    found = read_report(folder)
    assert set(found["metrics"]["own"]) == {*SETS["metrics"], "loss"}
    assert found["metrics"]["mean"] == found["metrics"]["own"]["macro_f1"]
    assert {name: one["rows"] for name, one in found["classes"]["own"].items()} == {"film": 4, "music": 4, "sport": 4}
    assert found["baseline"]["own"]["auroc"] == 0.5
    assert found["baseline"]["own"]["hamming_loss"] == pytest.approx(12 / 27)
    header, *rows = read_csv(folder / "predictions" / "own-dev-probabilities.csv")
    assert header == ["id", *GENRES]
    predicted = read_csv(folder / "predictions" / "own-dev.csv")[1:]
    assert len(rows) == len(predicted) == len(TAGS)
    for (_, text), (_, *shares) in zip(predicted, rows, strict=True):
        assert text == ";".join(name for name, share in zip(GENRES, shares, strict=True) if float(share) > 0.5)


@pytest.mark.slow
def test_saved_sets_give_the_reported_scores_and_a_page(tagged: tuple[CommandLine, Path]) -> None:
    _, folder = tagged
    predictions = Run(folder).read_predictions("own")
    assert predictions.labels.shape == (9, 3)
    page = folder / "page.html"
    assert report.main([str(folder), "--output", str(page)]) == 0
    text = page.read_text()
    assert "Classes" in text
    assert "film;music;sport" in text
    for name, value in read_report(folder)["metrics"]["own"].items():
        assert f"{value:.4f}" in text, name


@pytest.mark.slow
def test_an_ensemble_of_sets_averages_probabilities(tagged: tuple[CommandLine, Path], tmp_path: Path) -> None:
    command, folder = tagged
    other = command("fit", "--seed_everything", 7, config=command.folder / "own.yaml")
    assert ensemble.main([str(folder), str(other), "--output", str(tmp_path / "both")]) == 0
    found, *members = (Run(path).read_predictions("own") for path in (tmp_path / "both", folder, other))
    mean = np.mean([member.probabilities for member in members], axis=0)
    assert found.probabilities == pytest.approx(mean, abs=1e-6)
    assert np.array_equal(found.predictions, mean > 0.5)
    refused = ["--output", str(tmp_path / "votes"), "--method", "vote"]
    assert ensemble.main([str(folder), str(other), *refused]) == 2


@pytest.mark.slow
def test_a_student_learns_from_saved_sets(tagged: tuple[CommandLine, Path]) -> None:
    command, folder = tagged
    teacher = command(
        "predict",
        *("--ckpt_path", best_checkpoint(folder), "--data.predict_splits", "[train]"),
        config=command.folder / "own.yaml",
    )
    flag = f"--tasks.own.teacher={json.dumps({'files': [str(teacher)], 'weight': 1.0})}"
    student = command("fit", flag, "--trainer.limit_train_batches", 2, config=command.folder / "own.yaml")
    assert read_report(student)["steps"] == 2


def test_tuned_thresholds_are_those_that_predict_and_the_predictor_use(
    tagged: tuple[CommandLine, Path], tmp_path: Path
) -> None:
    command, folder = tagged
    checkpoint = best_checkpoint(folder)
    assert thresholds.main([str(folder)]) == 0
    found = json.loads((folder / "thresholds.json").read_text())
    assert found["checkpoint"] == checkpoint.name
    chosen = {"film": 1.0, "music": 0.0, "sport": 0.5}
    found["tasks"] = {"own": {"thresholds": chosen, "scores": {}}}
    try:
        (folder / "thresholds.json").write_text(json.dumps(found))
        predicted = command("predict", "--ckpt_path", checkpoint, config=command.folder / "own.yaml")
        rows = dict(read_csv(predicted / "predictions" / "own-dev.csv")[1:])
        texts = [f"film {number}" for number in range(len(TAGS))]
        for number, one in enumerate(Predictor.load(folder).predict("own", texts)):
            assert one.label == rows[str(number)]
            assert one.labels == tuple(name for name in GENRES if one.probabilities[name] > chosen[name])
            assert "music" in one.labels
            assert "film" not in one.labels
        (tmp_path / "other.ckpt").write_bytes(checkpoint.read_bytes())  # outside the run
        untuned = Predictor.load(tmp_path / "other.ckpt").predict("own", texts)
        assert all(one.labels == tuple(name for name in GENRES if one.probabilities[name] > 0.5) for one in untuned)
        assert [one.label for one in untuned] != list(rows.values())
        validated = command("validate", "--ckpt_path", checkpoint, config=command.folder / "own.yaml")
        assert read_report(validated)["thresholds"] == {"own": chosen}
        assert ensemble.main([str(folder), str(validated), "--output", str(tmp_path / "both")]) == 0
        assert read_report(folder)["thresholds"] == {"own": dict.fromkeys(GENRES, 0.5)}
        assert read_report(tmp_path / "both")["thresholds"] == {"own": {"film": 0.75, "music": 0.25, "sport": 0.5}}
        both = Run(tmp_path / "both").read_predictions("own")
        assert both.probabilities is not None
        assert np.array_equal(both.predictions, both.probabilities > [0.75, 0.25, 0.5])
    finally:
        (folder / "thresholds.json").unlink()


def test_thresholds_of_a_resumed_run_go_where_its_best_weights_lie(
    tagged: tuple[CommandLine, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = tagged
    best = best_checkpoint(folder)
    resumed = tmp_path / "version_1"
    shutil.copytree(folder, resumed, ignore=shutil.ignore_patterns("*.ckpt"))
    note_best(resumed / "checkpoints", "best", best)
    assert thresholds.main([str(resumed)]) == 0
    try:
        assert not (resumed / "thresholds.json").exists()
        assert capsys.readouterr().out.splitlines()[-1] == f"thresholds: {folder / 'thresholds.json'}"
        assert json.loads((folder / "thresholds.json").read_text())["checkpoint"] == best.name
    finally:
        (folder / "thresholds.json").unlink(missing_ok=True)


@pytest.mark.slow
def test_exports_give_each_labels_probability_and_its_threshold(
    tagged: tuple[CommandLine, Path], tmp_path: Path
) -> None:
    _, folder = tagged
    texts = ["film 1", "film 2"]
    tuned = {"checkpoint": best_checkpoint(folder).name, "tasks": {"own": {"thresholds": {"music": 0.125}}}}
    try:
        (folder / "thresholds.json").write_text(json.dumps(tuned))
        export.main([str(folder), str(tmp_path / "hf"), "--format", "transformers"])
        expected = [one.probabilities for one in Predictor.load(folder).predict("own", texts)]
        config = json.loads((tmp_path / "hf" / "own" / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification"
        assert "film 0.5, music 0.125, sport 0.5" in (tmp_path / "hf" / "own" / "README.md").read_text()
        classify = pipeline("text-classification", str(tmp_path / "hf" / "own"), top_k=None)
        for row, shares in zip(classify(texts), expected, strict=True):
            assert {one["label"]: one["score"] for one in row} == pytest.approx(shares, abs=1e-5)
        pytest.importorskip("onnxruntime")
        export.main([str(folder), str(tmp_path / "onnx"), "--format", "onnx"])
        labels = json.loads((tmp_path / "onnx" / "single" / "labels.json").read_text())
        assert labels["answers"]["own"] == {"classes": GENRES, "thresholds": [0.5, 0.125, 0.5]}
    finally:
        (folder / "thresholds.json").unlink()


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (["film;jazz"], {}, "own.tsv, line 2: label is 'film;jazz' (expected labels out of film, music, sport, not"),
        (["film"], {"classes": ["a;b", "c"]}, "the label 'a;b' holds the separator ';'"),
        (["NA", "NA"], {}, "label holds no label in 2 rows (task own, train split; expected some beside the gaps)"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    train: CommandLine, capsys: pytest.CaptureFixture[str], rows: list[str], settings: Any, message: str
) -> None:
    train.refuse("fit", config=configure(train.folder, "MultiLabel", rows, **{**SETS, **settings}))
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


@pytest.mark.slow
def test_a_resumed_training_on_balanced_rows_ends_as_one_that_was_not_stopped(train: CommandLine) -> None:
    settings = {"num_classes": 3, "missing_labels": ["", "NA"], "sampling": "balanced", "class_weights": {"1": 3.0}}
    config = configure(train.folder, "Classification", STARS, **settings)
    constant = ["--model.optimizer.schedule", "constant", "--model.optimizer.warmup", 0]

    def fit(steps: int, *flags: object) -> Path:
        return train("fit", "--trainer.max_steps", steps, *constant, *flags, config=config)

    fit(3)  # inside the second epoch of two steps
    resumed, whole = fit(6, "--ckpt_path", "last"), fit(6)
    assert read_report(resumed)["resumed_from"]
    assert read_report(resumed)["weights_sha256"] == read_report(whole)["weights_sha256"]
    assert read_report(fit(6, "--tasks.own.sampling", "all"))["weights_sha256"] != read_report(whole)["weights_sha256"]


def test_the_tasks_of_the_page_on_labels_can_be_built() -> None:
    blocks = re.findall("```yaml\n(.*?)```", (ROOT / "docs" / "labels.md").read_text(), re.DOTALL)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--tasks", type=dict[str, Task])
    built = [parser.instantiate(parser.parse_string(block)).tasks for block in blocks]
    assert [list(tasks) for tasks in built] == [["tags"], ["stars"], ["mood"]]
    assert built[2]["mood"].build_head(4).output.meaning()["gamma"] == 2
