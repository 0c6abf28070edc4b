"""Merged weights of real runs, read by what reads a run's."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BertModel

from analysis.page import write_report
from analysis.run import Run
from experiments.merging import add_changes, average
from experiments.soup import main
from inference import Predictor
from tests.cli.command_line import CommandLine, best_checkpoint

ONE = "tasks: {%s: {class_path: %s}}\n"


@pytest.fixture(scope="module")
def runs(make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs that differ in their seed."""
    command = make_command(tmp_path_factory.mktemp("two"))
    return [command("fit", "--seed_everything", seed, "--model.optimizer.lr", 0.01) for seed in (1, 2)]


@pytest.fixture(scope="module")
def experts(make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run of SST alone and one of STS alone."""
    folder = tmp_path_factory.mktemp("experts")
    found = []
    for name, kind in (("sst", "Sst"), ("sts", "Sts")):
        config = folder / f"{name}.yaml"
        config.write_text(ONE % (name, kind))
        found.append(make_command(folder)("fit", "--model.optimizer.lr", 0.01, config=config))
    return found


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(best_checkpoint(run), weights_only=True)["state_dict"]
    return found


def test_an_average_is_read_by_predict_report_and_python(runs, train, tmp_path, capsys):
    output = tmp_path / "soup"
    assert main([*map(str, runs), "--output", str(output)]) == 0
    assert "soup of runs 1, 2" in capsys.readouterr().out
    merged = torch.load(output / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, (weights(runs[0])[name] + weights(runs[1])[name]) / 2)
    report = json.loads((output / "report.json").read_text())
    folder = train("validate", "--ckpt_path", output / "checkpoints/last.ckpt")
    validated = json.loads((folder / "report.json").read_text())["metrics"]
    assert report["metrics"]["sts"]["pearson"] == pytest.approx(validated["sts"]["pearson"], abs=1e-5)
    assert report["metrics"]["sst"]["accuracy"] == pytest.approx(validated["sst"]["accuracy"])
    saved = Run(output).read_predictions("sts")
    texts = [example.texts for example in saved.examples]
    scores = [each.score for each in Predictor.load(output).predict("sts", texts)]
    assert scores == pytest.approx(saved.predictions.tolist(), abs=1e-5)
    write_report([output], tmp_path / "page.html")
    assert "sts" in (tmp_path / "page.html").read_text()


def test_members_are_scored_with_the_weights_that_are_merged(runs, tmp_path):
    """And not by the predictions that the run has saved, which are those of its last weights."""
    copy = tmp_path / "runs" / "cs224n" / "version_0"
    shutil.copytree(runs[0], copy)
    saved = copy / "predictions" / "sst-dev.csv"
    header, *rows = saved.read_text().splitlines()
    saved.write_text("\n".join([header, *(f"{row.partition(',')[0]}, 4" for row in rows)]) + "\n")
    output = tmp_path / "soup"
    assert main([str(copy), str(copy), "--output", str(output)]) == 0
    soup, best, mean = json.loads((output / "report.json").read_text())["selection"].values()
    assert soup == best == mean


def test_a_greedy_soup_is_no_worse_than_its_best_run_on_the_chosen_half(runs, tmp_path):
    output = tmp_path / "soup"
    assert main([*map(str, runs), "--output", str(output), "--method", "greedy"]) == 0
    report = json.loads((output / "report.json").read_text())
    found = {name.partition(" of runs")[0]: values["selected"] for name, values in report["selection"].items()}
    assert found["soup"] >= found["best run"] >= found["mean run"]
    assert 1 <= len(report["members"]) <= 2


def test_what_single_task_runs_have_changed_is_added_up(experts, train, tiny_backbone, tmp_path):
    output = tmp_path / "sum"
    assert main([*map(str, experts), "--output", str(output), "--method", "arithmetic", "--scales", "0.5"]) == 0
    merged = torch.load(output / "checkpoints/last.ckpt", weights_only=True)
    name = "backbone.bert.encoder.layer.0.attention.self.query.weight"
    start = BertModel.from_pretrained(tiny_backbone).state_dict()[name.removeprefix("backbone.bert.")]
    expected = start + 0.5 * sum(weights(run)[name] - start for run in experts)
    torch.testing.assert_close(merged["state_dict"][name], expected)
    assert {name.split(".")[1] for name in merged["state_dict"] if name.startswith("heads.")} == {"sst", "sts"}
    assert list(Run(output).tasks) == ["sst", "sts"]
    assert Predictor.load(output).predict("sst", ["word"])[0].label in "01234"
    flags = ["-c", output / "config.yaml", *train.tiny, "--ckpt_path", output / "checkpoints/last.ckpt"]
    train.raw("validate", *map(str, flags))
    folder = train.newest("sst", "validate")
    report, validated = (json.loads((each / "report.json").read_text())["metrics"] for each in (output, folder))
    assert report["sts"]["pearson"] == pytest.approx(validated["sts"]["pearson"], abs=1e-5)


def test_what_cannot_be_merged_is_named(runs, experts, tmp_path, capsys):
    def refused(*arguments: object) -> str:
        assert main([*map(str, arguments), "--output", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()
        return capsys.readouterr().err

    assert "one run (expected two or more to merge)" in refused(runs[0])
    assert "differs from" in refused(*experts)
    assert "has the task sst, as" in refused(*runs, "--method", "arithmetic")
    assert "no such file or folder" in refused(runs[0], "nowhere")
    assert "--refit -1: expected a number of epochs" in refused(*runs, "--refit", "-1")
    (tmp_path / "there" / "kept").mkdir(parents=True)
    assert main([*map(str, runs), "--output", str(tmp_path / "there")]) == 2
    assert "there: holds something already (expected a new or empty folder)" in capsys.readouterr().err


def test_equal_weights_stay_as_they_are():
    one = {"w": torch.randn(3), "steps": torch.tensor(5)}
    merged = average([one, one, one])
    assert torch.equal(merged["w"], one["w"])
    assert torch.equal(merged["steps"], one["steps"])
    assert torch.equal(add_changes({"w": torch.zeros(3)}, [one], 1.0)["w"], one["w"])


@pytest.mark.slow
def test_heads_are_fitted_to_the_merged_backbone(runs, tmp_path):
    output = tmp_path / "soup"
    assert main([*map(str, runs), "--output", str(output), "--refit", "1"]) == 0
    (run,) = (output / "refit").glob("version_*")
    before, after = (torch.load(each, weights_only=True)["state_dict"] for each in (
        output / "checkpoints/last.ckpt", best_checkpoint(run)
    ))  # fmt: skip
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith("heads.")}
