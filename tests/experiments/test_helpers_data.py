"""A task outside the mean may have other dev rows in each row of a table: nothing is compared on them."""

import json
from pathlib import Path

import pytest
import yaml

from experiments.folding import collect_folds
from experiments.options import add_options, read_options
from experiments.own_trainings import check_dev_data
from experiments.row import Row
from experiments.systems import System, check_same_data
from experiments.task_values import read_tasks
from runtime.arguments import Arguments
from tasks import InputError
from tests.experiments.run_folders import almost_right, make_job, write_run


def write_system(folder: Path, root: Path, name: str, digest: str, *, in_mean: bool) -> System:
    job = make_job(folder, name)
    run = write_run(job, root, almost_right(root, wrong=1))
    settings = yaml.safe_load((run / "config.yaml").read_text())
    settings["tasks"]["quora"] = {"class_path": "Quora", "init_args": {"in_mean": in_mean}}
    (run / "config.yaml").write_text(yaml.safe_dump(settings))
    report = json.loads((run / "report.json").read_text())
    report["data"]["quora"]["dev"]["sha256"] = digest
    (run / "report.json").write_text(json.dumps(report))
    return System(name, (job,))


@pytest.mark.parametrize("in_mean", [True, False])
def test_finished_runs_may_differ_in_what_is_not_scored(tmp_path, cs224n_root, in_mean):
    systems = [write_system(tmp_path, cs224n_root, name, name, in_mean=in_mean) for name in ("a", "b")]
    rows = [Row(name=name, title="", configs=(), tasks=(), against=None, origin="") for name in ("a", "b")]
    one, other = (
        collect_folds(row, {f"{row.name}/fold-0": system}, 2) for row, system in zip(rows, systems, strict=True)
    )
    if in_mean:
        with pytest.raises(
            InputError, match=r"b/seed-1/version_0 and .*a/seed-1/version_0 read different dev data of quora"
        ):
            check_same_data(systems, splits=["dev"])
        with pytest.raises(InputError, match="read other dev rows of quora"):
            one.minus(other)
    else:
        check_same_data(systems, splits=["dev"])
        assert "quora" not in one.minus(other)


@pytest.mark.parametrize("in_mean", [True, False])
def test_rows_may_differ_in_what_is_not_scored(tmp_path, cs224n_root, in_mean):
    rows, tasks = {}, {}
    for name, file in (("a", "quora-dev.csv"), ("b", "quora-train.csv")):
        path = tmp_path / f"{name}.yaml"
        quora = {"class_path": "Quora", "init_args": {"in_mean": in_mean, "source": {"dev": file}}}
        path.write_text(yaml.safe_dump({"tasks": {"sst": "Sst", "quora": quora}}))
        rows[name] = Row(name=name, title="", configs=(path,), tasks=(), against=None, origin=name)
        tasks[name] = read_tasks([path], [], name)
    parser = Arguments("experiments.compare", None)
    add_options(parser, output=str(tmp_path))
    options = read_options(parser.parse_args(["--data.root", str(cs224n_root)]), [])
    if in_mean:
        with pytest.raises(InputError, match="b: is scored on other dev data of quora than a"):
            check_dev_data(rows, tasks, options)
    else:
        check_dev_data(rows, tasks, options)
