"""Two processes pre-train as one does, with an accumulation window and a batch that leaves one without a row."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import Project


@pytest.mark.slow
def test_two_processes_pretrain_and_score_as_one(tiny_project: Callable[..., Project], still_backbone: Path) -> None:
    changes = {
        "model.backbone": str(still_backbone),
        "data.batch_size": 7,
        "data.tokens_per_batch": 40,
        "data.corpus": {"held_out": 0.2},
        "trainer.accumulate_grad_batches": 2,
        "trainer.max_epochs": 2,
    }
    project = tiny_project(script="pretrain.py", **changes)

    project.compare_one_process_with_two()

    assert len(project.trace(1)[-1]["rows"]) < 4  # the last batch is not full
    for name, score in project.report(0)["metrics"]["mlm"].items():
        assert project.report(1)["metrics"]["mlm"][name] == pytest.approx(score, abs=1e-3)
