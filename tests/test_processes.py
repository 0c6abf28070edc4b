"""Two processes train, evaluate and predict as one does: each process here is a real one (gloo)."""

import signal
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.runs import Project, read_csv

Projects = Callable[..., Project]


@pytest.fixture(scope="session")
def still(still_backbone: Path) -> dict[str, Any]:
    """Changes to a configuration that switch all dropout off: then equal batches give equal losses."""
    head = {"class_path": "LinearHead", "init_args": {"dropout": 0.0}}
    tasks = {name: {"class_path": name.capitalize(), "init_args": {"head": head}} for name in ("sst", "quora", "sts")}
    return {"model.backbone": str(still_backbone), "tasks": tasks}


def joined(project: Project, version: int) -> Iterator[dict[str, Any]]:
    """Return each step of two processes: its task, the rows of the global batch in their order, and the mean loss."""
    for first, second in zip(project.trace(version), project.trace(version, rank=1), strict=True):
        assert first["task"] == second["task"]
        shares = [first["rows"], second["rows"] if second["weight"] else []]
        rows = [row for pair in zip(shares[0], [*shares[1], None], strict=False) for row in pair if row is not None]
        losses = [float.fromhex(part["loss"]) * part["weight"] for part in (first, second)]
        yield {"task": first["task"], "rows": rows, "loss": sum(losses) / 2}


def assert_same_steps(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [(step["task"], step["rows"]) for step in found] == [(step["task"], step["rows"]) for step in expected]
    losses = [[step["loss"] for step in steps] for steps in (found, expected)]
    np.testing.assert_allclose(*losses, rtol=0, atol=2e-5)


def alone(project: Project, version: int) -> list[dict[str, Any]]:
    return [{**step, "loss": float.fromhex(step["loss"])} for step in project.trace(version)]


def assert_close_weights(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-4, msg=name)


def assert_same_predictions(found: Project, expected: Project, kind: str = "version") -> None:
    folders = [project.version(0, kind) / "predictions" for project in (found, expected)]
    names = sorted(path.name for path in folders[1].glob("*.csv"))
    assert len(names) >= 5
    for name in names:
        rows = [read_csv(folder / name) for folder in folders]
        assert [row[0] for row in rows[0]] == [row[0] for row in rows[1]]  # the ids, in file order
        values = [np.array([row[1:] for row in part[1:]], dtype=float) for part in rows]
        np.testing.assert_allclose(*values, atol=2e-3)


# Eleven a batch leaves one row for the last batch, which the second process makes without a row of its own.
@pytest.mark.parametrize("batch_size", [5, pytest.param(11, marks=pytest.mark.slow)])
def test_two_processes_train_and_score_as_one(
    whole_run: Projects, tiny_project: Projects, still: dict[str, Any], batch_size: int
) -> None:
    changes = {**still, "data.batch_size": batch_size, "trainer.max_epochs": 2}
    one, two = whole_run(**changes), tiny_project(**changes)

    ended = two.run_ranks(2)

    assert [process.code for process in ended] == [0, 0], ended
    assert_same_steps(list(joined(two, 0)), alone(one, 0))
    assert_close_weights(two.weights(0), one.weights(0))
    for task, scores in one.report(0)["metrics"].items():
        assert two.report(0)["metrics"][task] == pytest.approx(scores, abs=1e-4)
    assert "evaluated" not in two.report(0)  # what both evaluated is the whole split
    assert_same_predictions(two, one)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_run_goes_on_with_another_number_of_processes(
    whole_run: Projects, tiny_project: Projects, still: dict[str, Any], before: int, after: int
) -> None:
    changes = {**still, "trainer.max_epochs": 2}
    whole, project = whole_run(**changes), tiny_project(**changes)

    killed = project.start_ranks(before, PROBE="train_batch_end:7") if before > 1 else []
    if killed:
        assert killed[0].wait().code == -signal.SIGKILL
        killed[1].send(signal.SIGKILL)
        killed[1].wait()
    else:
        project.kill("train_batch_end:7")
    ended = project.run_ranks(after, "--ckpt_path", "last") if after > 1 else [project.run("--ckpt_path", "last")]

    assert {process.code for process in ended} == {0}, ended
    found = list(joined(project, 1)) if after > 1 else alone(project, 1)
    assert_same_steps(found, alone(whole, 0)[6:])
    assert_close_weights(project.weights(1), whole.weights(0))


@pytest.mark.slow
def test_other_workers_after_a_kill_change_nothing(whole_run: Projects, tiny_project: Projects) -> None:
    project = tiny_project()
    project.kill("train_batch_end:7")

    assert project.run("--ckpt_path", "last", "--data.num_workers", "2").code == 0

    assert project.trace(1) == whole_run().trace(0)[6:]
    assert project.report(1)["weights_sha256"] == whole_run().report(0)["weights_sha256"]


@pytest.mark.slow
def test_idle_heads_rest_on_every_process(tiny_project: Projects) -> None:
    """While quora trains alone, the other heads keep their first weights under weight decay and momentum."""
    schedule = {"class_path": "Staged", "init_args": {"first": "quora", "epochs": 1}}
    project = tiny_project(**{"data.schedule": schedule, "model.optimizer.weight_decay": 0.5})

    assert {process.code for process in project.run_ranks(2, "--trainer.max_steps", "1")} == {0}
    assert {process.code for process in project.run_ranks(2, "--trainer.max_steps", "9")} == {0}

    first, last = project.weights(0), project.weights(1)
    idle = [name for name in first if name.startswith(("heads.sst", "heads.sts"))]
    assert len(idle) == 4
    assert all(torch.equal(first[name], last[name]) for name in idle)
    assert not torch.equal(first["heads.quora.linear.weight"], last["heads.quora.linear.weight"])
    assert {step["task"] for step in chain(project.trace(1), project.trace(1, rank=1))} == {"quora"}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["validate", "predict"])
def test_two_processes_score_and_predict_every_row_once(
    whole_run: Projects, tiny_project: Projects, still: dict[str, Any], command: str
) -> None:
    changes = {**still, "trainer.max_epochs": 2}
    trained = whole_run(**changes)
    checkpoint = str(trained.version(0) / "checkpoints" / "last.ckpt")
    one, two = tiny_project(**changes), tiny_project(**changes)
    arguments = ("--ckpt_path", checkpoint, "--data.tokens_per_batch", "40")

    assert one.run(*arguments, command=command).code == 0
    assert {process.code for process in two.run_ranks(2, *arguments, command=command)} == {0}

    assert_same_predictions(two, one, command)
    if command == "validate":
        for task, scores in one.report(0, command)["metrics"].items():
            assert two.report(0, command)["metrics"][task] == pytest.approx(scores, abs=1e-6)


@pytest.mark.slow
def test_a_split_of_fewer_rows_than_processes_is_scored_and_predicted(tiny_project: Projects, tmp_path: Path) -> None:
    lines = ["id\tsentence\tsentiment", "a\tthe cat was good\t3", "b\tthe dog was very bad and slow\t1"]
    for split in ("dev", "test"):
        (tmp_path / f"{split}.csv").write_text("\n".join(lines) + "\n")
    source = {"train": "ids-sst-train.csv", "dev": str(tmp_path / "dev.csv"), "test": str(tmp_path / "test.csv")}
    project = tiny_project(tasks={"sst": {"class_path": "Sst", "init_args": {"source": source}}})

    assert {process.code for process in project.run_ranks(3, "--trainer.max_steps", "2")} == {0}
    checkpoint = ("--ckpt_path", str(project.version(0) / "checkpoints" / "last.ckpt"))
    commands = ("validate", "test", "predict")
    for command in commands:
        assert project.run(*checkpoint, command=command).code == 0
        assert {process.code for process in project.run_ranks(3, *checkpoint, command=command)} == {0}

    for command in commands:
        assert project.predictions(1, command) == project.predictions(0, command)
        split = "test" if command == "test" else "dev"
        rows = read_csv(project.version(1, command) / "predictions" / f"sst-{split}.csv")
        assert [row[0] for row in rows] == ["id", "a", "b"]
        if command == "validate":
            ranks, alone = (project.report(number, command)["metrics"] for number in (1, 0))
            assert ranks["sst"] == pytest.approx(alone["sst"])  # a loss adds up in another order


@pytest.mark.slow
def test_pretraining_with_fewer_held_out_texts_than_processes_ends(tiny_project: Projects, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("".join(f"the cat and the dog is {word}\n" for word in ("good", "bad", "dull")))
    texts = {"own": {"source": {"train": str(tmp_path / "own.txt")}}}
    changes = {"data.texts": texts, "data.corpus": {"held_out": 0.4}, "trainer.max_epochs": 1}
    project = tiny_project(script="pretrain.py", tasks={}, **changes)

    ended = project.run_ranks(3)

    assert {process.code for process in ended} == {0}, ended
    assert any(tag == "val/mlm/loss" for tag, *_ in project.scalars(0))


@pytest.mark.slow
def test_two_processes_that_are_refused_leave_no_run_folder(tiny_project: Projects) -> None:
    project = tiny_project()
    ended = project.run_ranks(2, "--model.surgery", "PcGrad")
    assert [process.code for process in ended] == [2, 2], ended
    assert not (project.folder / "runs").exists()
