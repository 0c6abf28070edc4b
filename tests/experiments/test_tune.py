import json
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.selection import split_halves
from experiments.job import Job
from experiments.tune import main
from tests.experiments.run_folders import dev_labels, write_run

SEARCH = """\
- name: plain
  command: -c one.yaml
  options: {model.optimizer.lr: {log_uniform: [1.0e-5, 1.0e-3]}}
- name: other
  command: -c one.yaml --tasks.sst.weight 2
  options: {model.optimizer.lr: {log_uniform: [1.0e-5, 1.0e-3]}}
"""
SIZES = ["--candidates", "3", "--factor", "3", "--rungs", "2", "--budget", "steps=10", "--seeds", "2"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds a search."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text("tasks: {sst: Sst}\nmodel: {backbone: bert-base-uncased}\n")
    (tmp_path / "search.yaml").write_text(SEARCH)
    return tmp_path


def finish(root: Path, name: str, right: Sequence[int], *, seed: int = 1) -> None:
    """Write the run of a candidate that is right about some dev rows of SST."""
    labels = dev_labels(root, "sst")
    predicted = (labels + 1) % 5
    predicted[list(right)] = labels[list(right)]
    write_run(Job(name, Path("runs/tune") / name / f"seed-{seed}", (), ()), root, {"sst": predicted}, seed=seed)


def test_a_dry_run_shows_the_first_round_of_each_recipe_with_equal_values(folder, capsys):
    assert main(["search.yaml", *SIZES, "--dry_run"]) == 0
    first, *commands = capsys.readouterr().out.splitlines()
    assert first == "each of 2 recipes: 3 x 10 steps, 1 x 30 steps x 2 seeds; 90 steps, 180 in all"
    words = [shlex.split(line) for line in commands]
    rates = [[word for word in each if "optimizer.lr" in word] for each in words]
    assert rates[:3] == rates[3:]
    assert rates[0] == []
    assert len({tuple(rate) for rate in rates}) == 3
    assert all(dict(pairwise(each))["--trainer.max_steps"] == "10" for each in words)
    assert dict(pairwise(words[4]))["--trainer.logger.save_dir"] == "runs/tune/other/candidate-1/10-steps"
    assert not (folder / "runs").exists()


def test_the_choice_is_made_on_one_half_and_reported_on_the_other(folder, cs224n_root, capsys):
    chosen, held_out = (half.tolist() for half in split_halves(len(dev_labels(cs224n_root, "sst")), seed=0))
    for recipe in ("plain", "other"):
        finish(cs224n_root, f"{recipe}/candidate-0/10-steps", held_out)
        finish(cs224n_root, f"{recipe}/candidate-1/10-steps", chosen[:1] + held_out)
        finish(cs224n_root, f"{recipe}/candidate-2/10-steps", chosen[:2])
        for seed in (1, 2):
            right = chosen + held_out if recipe == "other" else chosen
            finish(cs224n_root, f"{recipe}/candidate-2/30-steps", right, seed=seed)
    assert main(["search.yaml", *SIZES, "--table_only"]) == 0
    shown = capsys.readouterr().out
    assert "other is better than plain (sst +1.0000" in shown
    command = "python train.py fit -c one.yaml --tasks.sst.weight 2 --model.optimizer.lr="
    assert f"other: its best values are in runs/tune/other.yaml; this trains with them: {command}" in shown
    found = json.loads((folder / "runs/tune/results.json").read_text())
    plain, other = found["recipes"]
    assert (plain["best"], other["best"]) == (2, 2)
    last = plain["rounds"][-1]["candidates"]["2"]
    assert (last["chosen half"]["mean"], last["held-out half"]["mean"]) == ([1, 1], [0, 0])
    assert [each["verdict"] for each in found["differences"]] == ["helped"]
    values = yaml.safe_load((folder / "runs/tune/other.yaml").read_text())
    assert values == {"model": {"optimizer": {"lr": other["candidates"][2]["model.optimizer.lr"]}}}


def test_values_of_many_options_can_be_read_on_a_narrow_terminal(folder, cs224n_root, capsys):
    names = ("model.optimizer.warmup", "model.optimizer.layer_decay", "tasks.sst.weight", "tasks.quora.weight")
    options = {"model.optimizer.head_lr": {"choice": [0.00453]}} | {name: {"choice": [0.25]} for name in names}
    (folder / "two.yaml").write_text("tasks: {sst: Sst, quora: Quora}\nmodel: {backbone: bert-base-uncased}\n")
    search = [{"name": "plain", "command": "-c two.yaml", "options": options}]
    (folder / "search.yaml").write_text(yaml.safe_dump(search, sort_keys=False))
    labels = {task: dev_labels(cs224n_root, task) for task in ("sst", "quora")}
    for name in ("candidate-0/10-steps", "candidate-1/10-steps", "candidate-2/10-steps", "candidate-1/30-steps"):
        right = labels if "candidate-0" not in name else {task: 1 - each % 2 for task, each in labels.items()}
        write_run(Job(name, Path("runs/tune/plain") / name / "seed-1", (), ()), cs224n_root, right)
    assert main(["search.yaml", *SIZES, "--table_only"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "as the command stands" in shown
    values = "head_lr 0.00453, warmup 0.25, layer_decay 0.25, sst.weight 0.25, quora.weight 0.25"
    assert f"| 1 * | {values} | 1.0000 | 1.0000 |" in (folder / "runs/tune/results.md").read_text()


def test_a_candidate_whose_training_failed_is_out(folder, cs224n_root):
    rows = range(len(dev_labels(cs224n_root, "sst")))
    for recipe in ("plain", "other"):
        finish(cs224n_root, f"{recipe}/candidate-1/10-steps", rows)
        finish(cs224n_root, f"{recipe}/candidate-1/30-steps", rows)
    assert main(["search.yaml", *SIZES, "--table_only"]) == 0
    found = json.loads((folder / "runs/tune/results.json").read_text())["recipes"]
    assert [each["best"] for each in found] == [1, 1]


def test_nothing_finished_is_no_result(folder, capsys):
    assert main(["search.yaml", *SIZES, "--table_only"]) == 1
    assert "no finished run of plain/candidate-0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.yaml", *SIZES], "search none.yaml: no such file"),
        (["search.yaml"], "--budget: expected steps=N"),
        (["search.yaml", "--budget", "minutes=3"], "--budget: expected steps=N"),
        (["search.yaml", *SIZES, "--factor", "1"], "--factor 1: expected 2 or more"),
        (["search.yaml", *SIZES, "--rungs", "0"], "--rungs 0: expected 1 or more"),
        (["search.yaml", *SIZES, "--train_limit", "sts=3"], "no training has a task sts"),
    ],
)
def test_what_is_wrong_is_one_sentence(folder, capsys, arguments, said):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "runs").exists()


def test_recipes_are_scored_by_any_metric_but_the_same_one(folder, capsys):
    assert main(["search.yaml", *SIZES, "--dry_run", "--", "--tasks.sst.metrics", "[macro_f1]"]) == 0
    (folder / "mixed.yaml").write_text(SEARCH.replace("--tasks.sst.weight 2", "--tasks.sst.metrics [macro_f1]"))
    assert main(["mixed.yaml", *SIZES, "--dry_run"]) == 2
    assert (
        "recipe 2: task sst is scored by macro_f1, in mixed.yaml, recipe 1 by accuracy (expected the same metric)"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        (
            "model.optimizer.rate: {choice: [0.1]}",
            "no flag --model.optimizer.rate (did you mean --model.optimizer.lr?)",
        ),
        ("data.batch_size: {choice: [8, many]}", "data.batch_size is 'many' (expected int)"),
        ("tasks.sst.weight: {uniform: [-1, 2]}", "tasks.sst: weight is -1.0 (expected 0 or more)"),
        ("tasks.sst.wieght: {uniform: [0, 2]}", "Sst has no wieght (did you mean weight?)"),
        ("trainer.gradient_clip_val: {uniform: [-1, 2]}", "trainer.gradient_clip_val is -1 (expected 0 or more)"),
    ],
)
def test_what_train_py_refuses_is_told_by_a_dry_run(folder, capsys, ranges, said):
    (folder / "search.yaml").write_text(f"- {{name: one, command: -c one.yaml, options: {{{ranges}}}}}\n")
    assert main(["search.yaml", *SIZES, "--dry_run"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: search.yaml, recipe 1: ")
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.slow
def test_a_real_search_refuses_a_wrong_option_and_finds_a_recipe(folder, cs224n_root, word_backbone, capsys):
    flags = ["--data.root", str(cs224n_root), "--backbone", str(word_backbone), "--", "--trainer.accelerator", "cpu"]
    (folder / "wrong.yaml").write_text(SEARCH.replace("model.optimizer.lr", "model.optimizer.rate"))
    assert main(["wrong.yaml", *SIZES, *flags]) == 2
    assert "recipe 1: no flag --model.optimizer.rate (did you mean --model.optimizer.lr?)" in capsys.readouterr().err
    sizes = ["--candidates", "2", "--factor", "2", "--rungs", "2", "--budget", "steps=2", "--seeds", "1"]
    assert main(["search.yaml", *sizes, *flags]) == 0
    found = json.loads((folder / "runs/tune/results.json").read_text())["recipes"]
    assert [[len(each["candidates"]) for each in recipe["rounds"]] for recipe in found] == [[2, 1], [2, 1]]
    means = [each["rounds"][-1]["candidates"][str(each["best"])]["held-out half"]["mean"] for each in found]
    assert np.isfinite(means).all()
