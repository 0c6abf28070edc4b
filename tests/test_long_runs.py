"""Long runs: memory and the run folder stay bounded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest

from tests.runs import Project

MIB = 2**20
PAGE = 4096
GROWTH_MIB = 8  # allocator noise; a leak of one batch a step would be many times this
FIGURES_MIB = 96  # matplotlib fragments the heap at first, and then no more


class MemoryTrace(L.Callback):
    """Writes the resident memory after each validation into `memory.jsonl`."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / MIB
        with (Path(str(trainer.log_dir)) / "memory.jsonl").open("a") as file:
            file.write(json.dumps({"step": trainer.global_step, "mib": resident}) + "\n")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
@pytest.mark.parametrize(("figures", "growth_mib"), [(0, GROWTH_MIB), (1, FIGURES_MIB)])
def test_memory_does_not_grow_over_two_thousand_steps_and_twenty_validations(
    figures: int, growth_mib: int, tiny_project: Callable[..., Project]
) -> None:
    changes: dict[str, Any] = {
        "trainer.max_epochs": -1,
        "trainer.max_steps": 2000,
        "trainer.check_val_every_n_epoch": None,
        "trainer.val_check_interval": 100,
        "trainer.log_every_n_steps": 50,
        "trainer.callbacks": [{"class_path": "tests.test_long_runs.MemoryTrace"}],
        "checkpoint.every_n_train_steps": 200,
        "figures.every_n_validations": figures,
    }
    project = tiny_project(**changes)

    ended = project.start().wait(1800)

    assert ended.code == 0, ended.output
    lines = (project.version(0) / "memory.jsonl").read_text().splitlines()
    resident = [json.loads(line)["mib"] for line in lines]
    assert len(resident) == 20
    assert max(resident[5:]) - resident[4] < growth_mib, resident
    assert len(ended.output.splitlines()) < 60  # the console stays readable
    assert len(list((project.version(0) / "checkpoints").iterdir())) == 2
    events = next(project.version(0).glob("events.out*")).stat().st_size
    assert events < MIB or figures
