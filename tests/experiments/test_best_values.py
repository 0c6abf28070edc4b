"""The file with a recipe's best values, and the command that trains with them, as train.py reads them."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.fit_parser import read_settings
from experiments.halving import Rung
from experiments.options import add_options, read_options, split_configs
from experiments.own_rows import parse_command
from experiments.search import Search, build_job
from experiments.search_space import as_flags, read_recipes
from runtime.arguments import Arguments

COMMAND = "-c one.yaml --model.regularizer RDrop --tasks.sst.head LinearHead"
VALUES = {
    "model.optimizer.lr": 0.0003,
    "model.regularizer.alpha": 2.5,
    "model.surgery": None,
    "data.schedule": "Temperature",
    "data.schedule.alpha": 0.4,
    "tasks.sst.weight": 0.3,
    "tasks.sst.head.dropout": 0.25,
}


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    """Return a search over options of a class, of a class that is chosen too, and of tasks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text("tasks: {sst: Sst, sts: Sts}\nmodel: {backbone: none, surgery: PcGrad}\n")
    (tmp_path / "search.yaml").write_text(
        f"- {{name: best, command: {COMMAND}, options: {{model.optimizer.lr: {{choice: [1]}}}}}}\n"
    )
    parser = Arguments("experiments.tune", None)
    add_options(parser, output=str(tmp_path))
    options = read_options(parser.parse_args([]), [])
    search = Search(read_recipes("search.yaml")[0], ("sst", "sts"), [Rung(2, 1, 1)], options, 0)
    search.candidates, search.best = [{}, VALUES], 1
    return search


@pytest.mark.parametrize("with_flags", [True, False])
def test_train_py_reads_the_best_values_behind_the_files_of_the_command(search: Search, *, with_flags: bool) -> None:
    flags = search.recipe.flags if with_flags else ()
    found = read_settings([*search.recipe.configs, search.write_best()], flags, "best")
    assert found["model"]["optimizer"]["lr"] == 0.0003
    assert found["model"]["regularizer"] == {"class_path": "objectives.RDrop", "init_args": {"alpha": 2.5}}
    assert "surgery" not in found["model"]
    assert found["data"]["schedule"] == {"class_path": "datamodules.Temperature", "init_args": {"alpha": 0.4}}
    assert list(found["tasks"]) == ["sst", "sts"]
    sst = found["tasks"]["sst"]["init_args"]
    assert (sst["weight"], sst["head"]["init_args"]["dropout"]) == (0.3, 0.25)


def test_the_command_as_it_stands_has_no_values(search: Search) -> None:
    search.best = 0
    assert search.write_best().read_text() == "{}\n"


@pytest.mark.parametrize("best", [0, 1])
def test_the_command_has_all_settings_of_the_best_candidate(search: Search, best: int) -> None:
    search.best = best
    configs, flags = split_configs(parse_command(search.best_command, "best"), "best:")
    rung = Rung(1, 1, 1)
    job = build_job(search.recipe, best, search.candidates[best], rung, 42, search.tasks, search.options)
    found, trained = (read_settings(files, more, "") for files, more in ((configs, flags), (job.configs, job.flags)))
    assert found["model"]["regularizer"]["class_path"] == "objectives.RDrop"
    assert {**found, "trainer": {}} == {**trained, "trainer": {}}


def test_the_command_can_be_typed_and_holds_what_the_search_was_given(search: Search) -> None:
    search.options = replace(search.options, root="my data", flags=("--data.batch_size", "4"), backbone="small")
    assert shlex.split(search.best_command) == [
        *["python", "train.py", "fit", "-c", "one.yaml", "--model.regularizer", "RDrop"],
        *["--tasks.sst.head", "LinearHead", *as_flags(VALUES)],
        *["--data.batch_size", "4", "--data.root", "my data", "--model.backbone", "small"],
    ]
