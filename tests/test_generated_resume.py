"""A run with generated pairs that was killed and continued ends as one that nothing interrupted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Project
from tests.same_end import assert_same_end, resume_after_kill

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
FILES = {split: str(SAMPLE / f"quora-{split}.csv") for split in ("train", "dev")}
PAIRS = {"share": 0.4}


def with_pairs(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with 42 rows of questions, 12 of them generated, and 12 rows of similarity."""
    options = {"source": FILES, "train_limit": 30, "dev_limit": 12, "generated_pairs": settings}
    return {"tasks": {"quora": {"class_path": "Quora", "init_args": options}, "sts": "Sts"}, "trainer.max_epochs": 1}


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"trainer.accumulate_grad_batches": 2, "checkpoint.every_n_train_steps": 1}])
def test_a_resumed_run_ends_as_the_whole_one(
    more: dict[str, Any], whole_run: Callable[..., Project], tiny_project: Callable[..., Project]
):
    changes = with_pairs(PAIRS) | more
    whole = whole_run(**changes)
    assert whole.report(0)["data"]["quora"]["train"]["generated"]["rows"] == 12
    project = tiny_project(**changes)
    version = resume_after_kill(project, "train_batch_end:3", "train_batch_start:5")
    assert_same_end(whole, project, version)


@pytest.mark.slow
def test_two_processes_draw_the_rows_of_one(tiny_project: Callable[..., Project]):
    project = tiny_project(**with_pairs(PAIRS))
    ended = project.run_ranks(2)
    assert [each.code for each in ended] == [0, 0], ended[0].output
    assert project.report(0)["data"]["quora"]["train"]["rows"] == 42


@pytest.mark.slow
def test_a_run_is_not_resumed_with_other_pairs(tiny_project: Callable[..., Project]):
    project = tiny_project(**with_pairs(PAIRS))
    project.kill("train_batch_end:4")
    ended = project.run("--ckpt_path", "last", "--tasks.quora.generated_pairs.seed", "1")
    assert ended.code == 2
    assert "tasks.quora.generated.seed was 0, is 1" in ended.output
