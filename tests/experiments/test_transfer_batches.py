"""How much of its own a task saw in a set: what the runs have counted, whatever budget and schedule say."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from experiments.transfer import main
from experiments.transferring import describe_seen, share_seen
from tests.experiments.run_folders import dev_labels, make_job, write_run

Drawn = dict[str, dict[str, int]]


def count(**batches: int) -> Drawn:
    return {stream: {"batches": number, "examples": 4 * number} for stream, number in batches.items()}


# With steps=30 for sst and for sst+sts: a step of RoundRobin has one batch, a step of Joint one of every task.
SCHEDULES = {"RoundRobin": (count(sst=15, sts=15), 0.5), "Joint": (count(sst=30, sts=30), 1.0)}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_budget_says_less_of_a_tasks_own_batches_than_their_number(schedule, tmp_path, cs224n_root, capsys):
    sst, sts = (dev_labels(cs224n_root, task) for task in ("sst", "sts"))
    drawn, share = SCHEDULES[schedule]
    runs = {"sst": ({"sst": sst}, count(sst=30)), "sst+sts": ({"sst": sst, "sts": sts}, drawn)}
    for name, (predictions, own) in runs.items():
        folder = write_run(make_job(tmp_path, name), cs224n_root, predictions, drawn=own)
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        settings["trainer"]["max_steps"] = 30
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    config = tmp_path / "two.yaml"
    config.write_text("tasks: {sst: Sst, sts: Sts}\n")
    assert main(["-c", str(config), "--table_only", "--seeds", "1", "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    said = f"Every set got the same budget. In a larger set a task saw {share * 100:.0f} % of the batches that it saw"
    assert said in shown
    assert "fewer examples" not in shown
    (entry,) = json.loads((tmp_path / "results.json").read_text())["transfer"]
    assert (entry["target"], entry["own batches"]) == ("sst", share)


def system(*drawn: Drawn | None, tasks: tuple[str, ...], streams: dict[str, list[str]] | None = None) -> Namespace:
    named = {name: {"tasks": members} for name, members in (streams or {}).items()}
    reports = [{"drawn": each, "streams": named} for each in drawn]
    return Namespace(runs=[Namespace(report=report, tasks=dict.fromkeys(tasks)) for report in reports])


def test_seeds_are_averaged_and_a_batch_of_a_stream_is_one_of_each_of_its_tasks():
    alone = system(count(a=10), count(a=20), tasks=("a",))
    joint = {"a+b": {"batches": 6, "examples": 24}}
    both = system(joint, tasks=("a", "b"), streams={"a+b": ["a", "b"]})
    assert share_seen("a+b", "a", {"a": alone, "a+b": both}) == pytest.approx(6 / 15)
    silent = system(None, tasks=("a", "b"))
    assert share_seen("a+b", "a", {"a": alone, "a+b": silent}) is None


def test_shares_are_said_from_the_lowest_to_the_highest():
    assert (
        describe_seen([0.5, 1.0, 0.333])
        == " In a larger set a task saw 33 % to 100 % of the batches that it saw alone."
    )
    assert describe_seen([1.0, 1.0]) == " In a larger set a task saw 100 % of the batches that it saw alone."
    assert describe_seen([]) == ""


def test_whole_epochs_are_not_said_to_be_the_same_where_nobody_counted(tmp_path: Path, cs224n_root, capsys):
    for name in ("sst", "sst+sts"):
        write_run(make_job(tmp_path, name), cs224n_root, {"sst": dev_labels(cs224n_root, "sst")})
    config = tmp_path / "two.yaml"
    config.write_text("tasks: {sst: Sst, sts: Sts}\n")
    assert main(["-c", str(config), "--table_only", "--seeds", "1", "--output", str(tmp_path)]) == 0
    assert "- Every set was trained for whole epochs.\n" in (tmp_path / "results.md").read_text()
    assert json.loads((tmp_path / "results.json").read_text())["transfer"][0]["own batches"] is None
