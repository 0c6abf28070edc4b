"""A search whose files and flags come from several places."""

from pathlib import Path

import pytest
import yaml

from experiments.job import Job
from experiments.search_space import read_recipes
from experiments.tune import main
from tasks import InputError
from tests.experiments.run_folders import almost_right, write_run

SIZES = ["--candidates", "2", "--factor", "2", "--rungs", "1", "--budget", "steps=10", "--seeds", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_search(*recipes: dict[str, object]) -> None:
    Path("search.yaml").write_text(yaml.safe_dump(list(recipes), sort_keys=False))


def finish(root: Path, number: int) -> None:
    job = Job("c", Path(f"runs/tune/plain/candidate-{number}/10-steps/seed-1"), (), ())
    found = almost_right(root, wrong=3 - number)
    write_run(job, root, {name: found[name] for name in ("sst", "sts")})


def test_the_best_values_are_written_where_tasks_and_backbone_are_given_to_the_command(folder, cs224n_root):
    Path("mine.yaml").write_text("data: {batch_size: 8}\n")
    Path("tasks.yaml").write_text("tasks: {sst: Sst, sts: {class_path: Sts, init_args: {in_mean: true}}}\n")
    write_search({"name": "plain", "command": "-c mine.yaml", "options": {"tasks.sst.weight": {"choice": [0.5]}}})
    for number in (0, 1):
        finish(cs224n_root, number)
    flags = ["--backbone", "bert-base-uncased", "--train_limit", "sst=5", "--", "-c", "tasks.yaml"]
    assert main(["search.yaml", *SIZES, "--table_only", *flags]) == 0
    tasks = yaml.safe_load(Path("runs/tune/plain.yaml").read_text())["tasks"]
    assert list(tasks) == ["sst", "sts"]
    assert tasks["sst"]["init_args"]["weight"] == 0.5
    assert tasks["sst"]["init_args"].get("train_limit") is None


def test_the_command_as_it_stands_is_checked_before_any_recipe_is_trained(folder, capsys):
    Path("one.yaml").write_text("tasks: {sst: Sst}\nmodel: {backbone: bert-base-uncased}\n")
    Path("none.yaml").write_text("tasks: {sst: Sst}\n")
    ranges = {"model.optimizer.lr": {"choice": [0.001]}}
    write_search(
        {"name": "plain", "command": "-c one.yaml", "options": ranges},
        {"name": "other", "command": "-c none.yaml", "options": {"model.backbone": {"choice": ["bert-base-uncased"]}}},
    )
    assert main(["search.yaml", *SIZES]) == 2
    assert "recipe 2" in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("option", "values", "last", "flags"),
    [
        ("trainer.max_epochs", [1, 2], "-1", []),
        ("seed_everything", [1, 2], "1", []),
        ("model.backbone", ["bert-base-uncased", "roberta-base"], "x", ["--backbone", "x"]),
        ("tasks.sst.train_limit", [10, 20], "5", ["--train_limit", "sst=5"]),
        ("model.optimizer.lr", [0.1, 0.2], "0.3", ["--", "--model.optimizer.lr", "0.3"]),
    ],
)
def test_an_option_that_every_training_has_alike_is_refused(folder, capsys, option, values, last, flags):
    Path("one.yaml").write_text("tasks: {sst: Sst}\nmodel: {backbone: bert-base-uncased}\n")
    write_search({"name": "plain", "command": "-c one.yaml", "options": {option: {"choice": values}}})
    assert main(["search.yaml", *SIZES, "--dry_run", *flags]) == 2
    assert f"error: search.yaml, recipe 1: {option} is {last} in every training, as" in capsys.readouterr().err


def test_a_range_without_an_end_is_refused(folder):
    write_search({"name": "a", "command": "", "options": {"model.optimizer.lr": {"uniform": [0.1, float("inf")]}}})
    with pytest.raises(InputError, match=r"uniform is \[0.1, inf\] \(expected two finite numbers"):
        read_recipes("search.yaml")


def test_a_task_outside_the_mean_has_no_column(folder, cs224n_root):
    tasks = {"sst": "Sst", "quora": {"class_path": "Quora", "init_args": {"in_mean": False}}}
    Path("one.yaml").write_text(yaml.safe_dump({"tasks": tasks, "model": {"backbone": "bert-base-uncased"}}))
    write_search({"name": "plain", "command": "-c one.yaml", "options": {"model.optimizer.lr": {"choice": [0.001]}}})
    job = Job("c", Path("runs/tune/plain/candidate-0/10-steps/seed-1"), (), ())
    found = almost_right(cs224n_root, wrong=1)
    run = write_run(job, cs224n_root, {name: found[name] for name in ("sst", "quora")})
    settings = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**settings, "tasks": tasks}))
    assert main(["search.yaml", *SIZES, "--table_only"]) == 0
    assert "| recipe | candidate | sst | mean | mean, chosen half |" in Path("runs/tune/results.md").read_text()
