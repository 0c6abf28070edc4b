"""Options that change the training."""

import csv
import json

import numpy as np
import pytest
import torch
import yaml

from backbones import load_encoder
from tests.cli.command_line import CS224N, QUICK, TASKS, best_checkpoint, ids_of, read_report


def test_a_frozen_backbone_is_not_trained(train, tiny_backbone):
    run_folder = train("fit", "--model.freeze_backbone", "true", "--model.optimizer.lr", 0.1)
    trained = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    original = load_encoder(str(tiny_backbone)).state_dict()
    kept = {name.removeprefix("backbone.bert."): tensor for name, tensor in trained.items() if "backbone" in name}
    assert len(kept) == len(original) > 30
    assert all(torch.equal(tensor, original[name]) for name, tensor in kept.items())
    assert len([name for name in trained if name.startswith("heads.")]) == 6


def test_without_freezing_the_backbone_is_trained(fitted, tiny_backbone):
    trained = torch.load(fitted / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    original = load_encoder(str(tiny_backbone)).state_dict()
    changed = [name for name in original if not torch.equal(trained[f"backbone.bert.{name}"], original[name])]
    assert len(changed) > 30


@pytest.mark.parametrize("algorithm", ["norm", "value"])
def test_bf16_with_gradient_clipping_works_on_a_cpu(algorithm, train):
    clip = ["--trainer.gradient_clip_val", 0.5, "--trainer.gradient_clip_algorithm", algorithm]
    report = read_report(train("fit", "--trainer.precision", "bf16-mixed", *clip))
    assert report["steps"] == 2
    assert np.isfinite(report["metrics"]["sst"]["loss"])


def test_bi_encoding_by_one_flag_takes_the_similarity_head(train):
    run_folder = train("fit", "--tasks.sts.encoding=bi", "--tasks.quora.encoding=bi")
    weights = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert {name for name in weights if name.startswith("heads.sts")} == {
        "heads.sts.project.weight",
        "heads.sts.project.bias",
    }
    assert weights["heads.quora.linear.weight"].shape[1] > 16


@pytest.mark.parametrize(
    "schedule",
    [
        ["Sequential"],
        ["Shuffled"],
        ["RoundRobin", "--data.schedule.stop", "longest"],
        ["Temperature", "--data.schedule.alpha", "0.3"],
        ["Annealed"],
        ["Staged", "--data.schedule.first", "quora"],
        ["Staged", "--data.schedule.first", "sts", "--data.schedule.then", "Annealed"],
    ],
    ids=" ".join,
)
def test_every_schedule_can_be_chosen(schedule, train):
    assert read_report(train("fit", "--data.schedule", *schedule))["steps"] == 2


def test_a_fast_run_leaves_no_files(train, tmp_path, capsys):
    train.raw("fit", "-c", str(CS224N), *train.tiny, "--trainer.fast_dev_run", "true")
    assert list(tmp_path.iterdir()) == []


def test_without_a_logger_runs_lie_in_the_root_folder(train, tmp_path):
    train.raw(
        *["fit", "-c", str(CS224N), *train.tiny, *QUICK, "--trainer.logger", "false"],
        *["--trainer.default_root_dir", str(tmp_path / "here")],
    )
    assert {path.name for path in (tmp_path / "here" / "runs" / "cs224n" / "version_0").iterdir()} == {
        "checkpoints",
        "config.yaml",
        "predictions",
        "report.json",
    }


def test_with_the_default_logger_runs_lie_in_the_root_folder_too(train, tmp_path):
    train.raw("fit", "-c", str(CS224N), *train.tiny, *QUICK, "--trainer.default_root_dir", str(tmp_path / "here"))
    folder = tmp_path / "here" / "runs" / "cs224n" / "version_0"
    assert {"checkpoints", "config.yaml", "report.json"} < {path.name for path in folder.iterdir()}
    assert not (tmp_path / "runs").exists()
    train.raw("fit", "-c", str(folder / "config.yaml"))  # the saved configuration has the folder already
    assert (folder.parent / "version_1" / "report.json").is_file()


def test_a_training_without_validation_ends_well(train):
    report = read_report(train("fit", "--trainer.limit_val_batches", 0))
    assert report["metrics"] == {}
    assert report["steps"] == 2


def test_another_configuration_replaces_the_tasks_and_flags_add_to_them(train, tmp_path):
    (tmp_path / "fewer.yaml").write_text("tasks: {sst: Sst}\n")
    extra = ["--tasks.likeness", "Sts", "--tasks.likeness.weight", "2"]
    train.raw("fit", "-c", str(CS224N), "-c", str(tmp_path / "fewer.yaml"), *train.tiny, *QUICK, *extra)
    run_folder = train.newest("fewer")
    assert set(read_report(run_folder)["metrics"]) == {"sst", "likeness", "mean"}
    saved = yaml.safe_load((run_folder / "config.yaml").read_text())["tasks"]
    assert saved["likeness"]["init_args"]["weight"] == 2.0


OWN = """
tasks:
  nli:
    class_path: PairClassification
    init_args:
      source: {train: nli.jsonl, dev: nli.jsonl, test: blind.jsonl}
      texts: [premise, hypothesis]
      label: verdict
      id: key
      classes: [entailment, neutral, contradiction]
      prediction_header: Verdict
"""


def test_a_task_over_own_files_needs_yaml_only(train, tmp_path):
    classes = ("neutral", "contradiction", "entailment")
    rows = [
        {"key": f"k{number}", "premise": f"the film {number}", "hypothesis": "a film", "verdict": classes[number % 3]}
        for number in range(9)
    ]
    (tmp_path / "nli.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    blind = [{name: value for name, value in row.items() if name != "verdict"} for row in rows]
    (tmp_path / "blind.jsonl").write_text("".join(json.dumps(row) + "\n" for row in blind))
    (tmp_path / "own.yaml").write_text(OWN)
    run_folder = train("fit", "--data.root", tmp_path, config=tmp_path / "own.yaml")
    assert read_report(run_folder)["baseline"]["nli"]["accuracy"] == pytest.approx(1 / 3)
    predicted = train("predict", "--data.root", tmp_path, "--ckpt_path", "last", config=tmp_path / "own.yaml")
    for split in ("dev", "test"):
        with (predicted / "predictions" / f"nli-{split}.csv").open(newline="") as file:
            header, *lines = csv.reader(file)
        assert header == ["id", "Verdict"]
        assert [line[0] for line in lines] == [row["key"] for row in rows]
        assert {line[1] for line in lines} <= set(classes)
        with (predicted / "predictions" / f"nli-{split}-probabilities.csv").open(newline="") as file:
            assert next(csv.reader(file)) == ["id", "entailment", "neutral", "contradiction"]


def test_both_encodings_in_one_run_are_reported_and_predicted_apart(train, root):
    flags = ["--tasks.sts.encoding", "both", "--tasks.quora.encoding", "both"]
    run_folder = train("fit", *flags)
    metrics = read_report(run_folder)["metrics"]
    assert set(metrics) == {"sst", "quora", "quora_bi", "sts", "sts_bi", "mean"}
    assert set(metrics["sts_bi"]) == {"pearson", "spearman", "loss"}
    predictions = run_folder / "predictions"
    for name in ("sts", "sts_bi"):
        lines = (predictions / f"{name}-dev.csv").read_text().splitlines()
        assert [line.split(", ")[0] for line in lines[1:]] == ids_of(root, "sts")
    assert (predictions / "sts-dev.csv").read_text() != (predictions / "sts_bi-dev.csv").read_text()
    assert (predictions / "quora_bi-dev-probabilities.csv").exists()
    validated = train(
        "validate", "--tasks.sts.encoding", "both", "--tasks.quora.encoding", "both", "--ckpt_path", "last"
    )
    assert read_report(validated)["metrics"]["sts_bi"]["loss"] == pytest.approx(metrics["sts_bi"]["loss"], abs=1e-5)


def test_one_flag_averages_the_weights(train):
    folder = train("fit", "--averaging", "Ema", "--averaging.decay", "0.5")
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    best = torch.load(best_checkpoint(folder), weights_only=True)
    assert last["averaging"] == {"kind": "Ema", "decay": 0.5}
    for name, tensor in last["state_dict"].items():
        assert torch.equal(best["state_dict"][name], tensor)
    metrics = read_report(folder)["metrics"]
    assert read_report(train("validate", "--ckpt_path", "best"))["metrics"] == metrics


def test_plans_go_together_from_the_command_line(train):
    folder = train(
        "fit",
        *("--trainer.max_epochs", 4, "--data.schedule", "Staged", "--data.schedule.first", "quora"),
        *("--model.linear_probe_epochs", 1, "--tasks.sst.head_only_from", 2, "--plateau.patience", 1),
        *("--averaging", "Swa", "--averaging.every_n_steps", 3, "--model.optimizer.layer_decay", 0.9),
        quick=False,
    )
    report = read_report(folder)
    assert report["steps"] == 36
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["callbacks"]["ReduceShareOnPlateau"]["settings"] == [1, 0.5, 0.1]
    assert set(last["callbacks"]["ReduceShareOnPlateau"]["shares"]) == set(TASKS)
    assert int(last["averaging_state"]["n_averaged"]) == 6  # steps 21, 24, 27, 30, 33, 36


def test_lightnings_early_stopping_follows_the_mean(train):
    stopping = ("EarlyStopping", "monitor", "val/sst/accuracy", "mode", "max", "patience", "1")
    flags = [f"--trainer.callbacks.{name}={value}" for name, value in zip(stopping[1::2], stopping[2::2], strict=True)]
    folder = train(
        "fit",
        *("--trainer.max_epochs", 5, "--trainer.callbacks", stopping[0], *flags, "--model.optimizer.lr", 0),
        quick=False,
    )
    assert read_report(folder)["steps"] == 18  # no better after the second of five epochs
