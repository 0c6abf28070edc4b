"""What a finished run's gradients say about which task helps which."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.agreement import compare_estimates
from experiments.estimating import find_checkpoints
from experiments.statistics import Interval
from experiments.transfer import main
from tests.cli.command_line import TASKS, CommandLine

TAGS = ["film;music", "sport", "", "music", "NA", "film", "sport;film", "music"]


def estimate(run: Path, output: Path, *flags: str) -> dict[str, Any]:
    """Run the command, and return what it has written."""
    assert main(["--estimate", str(run), "--output", str(output), "--batches", "3", *flags]) == 0
    found: dict[str, Any] = json.loads((output / "estimate.json").read_text())
    return found


def test_every_pair_of_tasks_has_a_gain_with_an_interval_that_repeats(fitted, tmp_path, capsys):
    found = estimate(fitted, tmp_path / "one")
    assert [(entry["step on"], entry["target"]) for entry in found["gains"]] == [
        (step, target) for step in TASKS for target in TASKS
    ]
    for entry in found["gains"]:
        ends = entry["interval"]
        assert ends["low"] < ends["estimate"] < ends["high"]
        assert all(map(math.isfinite, ends.values()))
    shown = capsys.readouterr().out
    assert "Estimated gain by one step" in shown
    assert f"Estimated from the gradients of cs224n/{fitted.name} at 1 checkpoint: " in shown
    assert "| step on | sst | quora | sts |" in (tmp_path / "one" / "estimate.md").read_text()
    assert estimate(fitted, tmp_path / "two")["gains"] == found["gains"]
    assert estimate(fitted, tmp_path / "three", "--seed", "1")["gains"] != found["gains"]
    assert "agreement" not in found


def test_the_trained_matrix_is_shown_beside_it_with_the_agreement(fitted, tmp_path, capsys):
    values = {"sst": -0.02, "sts": 0.05}
    entries = [
        {"trained on": "sst+sts", "target": task, "own batches": share}
        | {"interval": {"estimate": value, "low": value - 0.03, "high": None}}
        for (task, value), share in zip(values.items(), (1.0, 0.5), strict=True)
    ]
    other = {"trained on": "sst+nli", "target": "sst", "interval": {"estimate": 1.0, "low": 0.9, "high": 1.1}}
    (tmp_path / "results.json").write_text(json.dumps({"transfer": [*entries, other]}))
    found = estimate(fitted, tmp_path)
    beside = found["beside_trained"]
    assert [(entry["trained on"], entry["target"]) for entry in beside] == [("sst+sts", "sst"), ("sst+sts", "sts")]
    gains = {(entry["step on"], entry["target"]): entry["interval"]["estimate"] for entry in found["gains"]}
    drawn = json.loads((fitted / "report.json").read_text())["drawn"]
    sst, sts = (drawn[task]["batches"] for task in ("sst", "sts"))
    assert beside[0]["estimated"]["estimate"] == pytest.approx(sts / (sst + sts) * gains["sts", "sst"])
    from_others, own = sst / (sst + sts) * gains["sst", "sts"], sts / (sst + sts) * gains["sts", "sts"]
    assert beside[1]["estimated"]["estimate"] == pytest.approx(from_others - own)  # alone it saw twice as many
    expected = compare_estimates(
        [entry["estimated"]["estimate"] for entry in beside],
        [Interval(value, value - 0.03, math.nan) for value in values.values()],
    )
    assert found["agreement"]["same_sign"] == expected.same_sign
    assert found["agreement"]["clear"] == 1
    assert found["agreement"]["error"] is None
    shown = capsys.readouterr().out
    assert "Difference from the task trained alone" in shown
    assert "| sst+sts | sts | 50% |" in (tmp_path / "estimate.md").read_text()
    assert expected.sentence() in shown
    assert json.loads((tmp_path / "results.json").read_text())["transfer"][0] == entries[0]


def test_label_sets_and_gaps_are_estimated(train: CommandLine, tmp_path: Path) -> None:
    lines = [f"film {number}\t{label}\t{number % 3}" for number, label in enumerate(TAGS)]
    (train.folder / "own.tsv").write_text("\n".join(["text\ttags\tstars", *lines]) + "\n")
    own = {"source": dict.fromkeys(("train", "dev"), str(train.folder / "own.tsv")), "texts": ["text"]}
    genres = {
        "classes": ["film", "music", "sport"],
        "separator": ";",
        "empty_is_none": True,
        "missing_labels": ["NA"],
    }
    tasks = {
        "tags": {"class_path": "MultiLabel", "init_args": {**own, "label": "tags", **genres}},
        "stars": {"class_path": "Regression", "init_args": {**own, "label": "stars", "low": 0, "high": 2}},
    }
    (train.folder / "own.yaml").write_text(json.dumps({"tasks": tasks}))
    found = estimate(train("fit", config=train.folder / "own.yaml"), tmp_path / "out")
    assert [entry["target"] for entry in found["gains"]] == ["tags", "stars", "tags", "stars"]
    assert all(entry["interval"]["estimate"] for entry in found["gains"])


def test_checkpoints_are_averaged_and_those_with_the_same_weights_count_once(train, tmp_path):
    often = ("--trainer.max_steps", 6, "--trainer.val_check_interval", 3, "--best_checkpoint.save_top_k", -1)
    run = train("fit", *often, "--model.optimizer.lr", 0.01)
    every = sorted(run.glob("checkpoints/*.ckpt"))
    assert [path.name.partition("-mean")[0] for path in every] == [
        *("best-epoch=0-step=3", "best-epoch=0-step=6", "last.ckpt")
    ]
    assert find_checkpoints(run) == every[:2]
    assert find_checkpoints(every[2]) == [every[2]]
    alone = [estimate(path, tmp_path / path.stem)["gains"] for path in find_checkpoints(run)]
    both = estimate(run, tmp_path / "both")["gains"]
    for entry, *single in zip(both, *alone, strict=True):
        mean = sum(one["interval"]["estimate"] for one in single) / 2
        assert entry["interval"]["estimate"] == pytest.approx(mean, rel=1e-6)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(list(map(str, arguments))) == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def alone(make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one task."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "one.yaml").write_text("tasks: {sst: Sst}\n")
    return make_command(folder)("fit", config=folder / "one.yaml")


def test_what_cannot_be_estimated_is_refused_in_one_sentence(fitted, alone, tmp_path, capsys):
    assert f"{tmp_path}: holds no checkpoint" in refusal(capsys, "--estimate", tmp_path)
    assert "one/version_0: trained 1 task (expected a run of two tasks or more)" in refusal(capsys, "--estimate", alone)
    said = refusal(capsys, "--estimate", fitted, "--batches", 1)
    assert said == "error: --batches 1: expected 2 or more, for an interval\n"
    said = refusal(capsys, "--estimate", fitted, "--batches", 13, "--output", tmp_path)
    assert "task sst: has 12 labelled train examples (expected one a batch at least, --batches 13)" in said
    (tmp_path / "results.json").write_text('{"transfer": [{}]}')
    said = refusal(capsys, "--estimate", fitted, "--batches", 2, "--output", tmp_path)
    assert f"{tmp_path / 'results.json'}: not the results of experiments.transfer (KeyError: 'trained on'" in said
    entry = {"trained on": "sst+sts", "target": "sts", "own batches": None, "interval": {"estimate": 0.1}}
    (tmp_path / "results.json").write_text(json.dumps({"transfer": [entry]}))
    said = refusal(capsys, "--estimate", fitted, "--batches", 2, "--output", tmp_path)
    assert "results.json: not the results of experiments.transfer (TypeError" in said
    entry["interval"] = dict.fromkeys(("estimate", "low", "high"), 0.1)
    (tmp_path / "results.json").write_text(json.dumps({"transfer": [entry]}))
    said = refusal(capsys, "--estimate", fitted, "--batches", 2, "--output", tmp_path)
    assert "does not say how many batches were drawn of each task by the runs of sst+sts and sts" in said
    assert not (tmp_path / "estimate.json").exists()


def test_options_of_a_training_are_refused_beside_an_estimate(fitted, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--estimate", str(fitted), "-c", "configs/cs224n.yaml"])
    assert ended.value.code == 2
    assert "error: no flag -c\n" in capsys.readouterr().err
