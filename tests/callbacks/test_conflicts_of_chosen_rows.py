from dataclasses import replace
from pathlib import Path

import pytest

from callbacks import ConflictMonitor
from tests.tiny import TASKS, build_module, make_trainer, open_data


@pytest.mark.parametrize("examples", [3, 16])
def test_probes_are_made_of_rows_that_are_trained_on(
    examples: int, tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    chosen = [1, 4, 7, 10]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["id", *(f"quora-{number:02d}" for number in chosen)]) + "\n")
    tasks = {**TASKS, "quora": replace(TASKS["quora"], train_rows=str(path))}
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks)
    monitor = ConflictMonitor(every_n_steps=100, examples=examples)
    trainer = make_trainer(tmp_path, monitor, max_steps=1, limit_val_batches=0)
    trainer.fit(build_module(tiny_backbone, tasks=tasks), datamodule=data)
    probed = set(monitor._probes["quora"].rows.tolist())
    assert len(probed) == min(examples, len(chosen))
    assert probed <= set(chosen)
