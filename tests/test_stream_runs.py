"""Runs of tasks over the same rows: real processes, what they report, and what looks at them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from analysis.plan import plan_first, plan_training
from analysis.run import Run
from checks.running import look
from tests.runs import Project, read_csv
from tests.tables import pair_tasks, table_config, table_tasks, write_table
from tests.tiny import open_data

NAME = "topic+stars+tags"
PAIRS = "cross+bi"
ALL = f"{NAME}+{PAIRS}"
Projects = Callable[..., Project]


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory, still_backbone: Path) -> dict[str, Any]:
    """Changes to a configuration: the tasks of the table, and no dropout."""
    root = tmp_path_factory.mktemp("table")
    for name in ("train.tsv", "dev.tsv"):
        write_table(root, name)
    return {
        "model.backbone": str(still_backbone),
        "data.root": str(root),
        "data.batch_size": 4,
        "tasks": table_config(),
        "trainer.max_epochs": 2,
        "trainer.accumulate_grad_batches": 2,
    }


def assert_same_predictions(found: Project, expected: Project) -> None:
    folders = [project.version(0) / "predictions" for project in (found, expected)]
    names = sorted(path.name for path in folders[1].glob("*-dev.csv"))
    assert names == sorted(f"{task}-dev.csv" for task in table_config())
    for name in names:
        one, other = (read_csv(folder / name) for folder in folders)
        assert [row[0] for row in one] == [row[0] for row in other]
        if not name.startswith(("topic", "tags")):
            scores = [np.array([row[1:] for row in rows[1:]], dtype=float) for rows in (one, other)]
            np.testing.assert_allclose(*scores, atol=2e-3)


@pytest.mark.parametrize("surgery", [None, {"class_path": "PcGrad"}], ids=["sum", "surgery"])
def test_two_processes_train_and_predict_as_one(
    whole_run: Projects, tiny_project: Projects, changes: dict[str, Any], surgery: dict[str, Any] | None
) -> None:
    """In windows of two batches, with gaps that no two ranks have alike."""
    changes = {**changes, "model.surgery": surgery}
    one, two = whole_run(**changes), tiny_project(**changes)
    ended = two.run_ranks(2)
    assert [process.code for process in ended] == [0, 0], ended
    assert one.report(0)["drawn"] == two.report(0)["drawn"]
    for name, weights in one.weights(0).items():
        torch.testing.assert_close(two.weights(0)[name], weights, rtol=0, atol=2e-4, msg=name)
    assert_same_predictions(two, one)


def test_a_run_reports_each_task_and_draws_their_rows_once(whole_run: Projects, changes: dict[str, Any]) -> None:
    project = whole_run(**changes)
    report = project.report(0)
    assert report["streams"] == {
        NAME: {"tasks": ["topic", "stars", "tags"], "rows": 11},
        PAIRS: {"tasks": ["cross", "bi"], "rows": 9},
    }
    assert report["drawn"] == {NAME: {"batches": 6, "examples": 22}, PAIRS: {"batches": 6, "examples": 18}}
    assert report["metrics"].keys() == {*table_config(), "mean"}
    assert report["baseline"].keys() == set(table_config())
    assert report["data"]["topic"]["train"]["labelled"] == 9
    run = Run(project.version(0))
    found = {name: (amount.batches, amount.examples) for name, amount in plan_first(run, 12).items()}
    assert found == {name: tuple(count.values()) for name, count in report["drawn"].items()}
    assert [list(epoch) for epoch in plan_training(run)] == [[NAME, PAIRS]] * 2


def test_a_look_says_once_what_is_so_for_all_tasks_over_the_same_rows(word_backbone: Path, tmp_path: Path) -> None:
    for name in ("train.tsv", "dev.tsv"):
        write_table(tmp_path, name)
    with (tmp_path / "train.tsv").open("a", encoding="utf-8") as file:
        file.write("r20\tthe <br> cat\tthe\tfilm\t3\tgood\nr21\tthe <br> cat\tdog\tsong\t3\tbad\n")
    tasks = {**table_tasks(), **pair_tasks(id="id")}
    found = {}
    for share_rows in (True, False):
        data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, share_rows=share_rows)
        found[share_rows] = look(data, None).findings
    said = {(one.task, one.check, one.split, one.what): one for one in found[True]}
    assert len(said) == len(found[True])
    html = next(one for one in found[True] if one.check == "html")
    assert [example.remark for example in html.examples] == [
        "label film; label 3; label good",
        "label song; label 3; label bad",
    ]
    checks = {(task, check) for task, check, *_ in said}
    assert {(ALL, "html"), (ALL, "leak"), ("stars", "duplicates"), (NAME, "unknown-tokens")} < checks
    assert {("topic", "contradictions"), ("tags", "contradictions")} < checks
    assert not {task for task, check in checks if check not in ("contradictions", "duplicates")} & set(tasks)
    by_task = {(task, *rest) for names, *rest in said for task in names.split("+")}
    apart = {(task, one.check, one.split, one.what) for one in found[False] for task in one.task.split("+")}
    unsaid = apart - by_task
    assert {check for _, check, *_ in unsaid} == {"shared-sides"}
    assert all("of the train split of" in what or "in the train split of" in what for *_, what in unsaid)
