"""`fit --dry_run true`: everything is tried, nothing is left."""

from typing import Any

import lightning.pytorch as L
import pytest

from backbones.digest import digest_weights
from tests.cli.command_line import CS224N


class Digests(L.Callback):
    """Keeps the digest of the weights before and after a training."""

    seen: list[str] = []
    tasks: list[str] = []
    state = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        type(self).seen, type(self).tasks = [digest_weights(pl_module)], []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.tasks.append(batch.task)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seen.append(digest_weights(pl_module))
        type(self).state = len(trainer.optimizers[0].state)


def try_out(train, *flags: object) -> None:
    own = ["--trainer.callbacks+=tests.cli.test_dry_run.Digests"]
    train.raw("fit", "-c", str(CS224N), *train.tiny, *own, *map(str, flags))


def test_each_task_is_tried_without_a_change_and_without_a_folder(train, capsys):
    try_out(train, "--dry_run", "--model.optimizer.warmup", 0, "--model.optimizer.lr", 0.1)
    before, after = Digests.seen
    assert before == after
    assert Digests.state > 10  # the optimiser has taken its memory
    assert Digests.tasks == ["sst", "quora", "sts"]
    said = capsys.readouterr().out
    rows = [line.split("│")[1].split() for line in said.splitlines() if line.startswith("│")]
    assert sorted(rows) == sorted([task, split] for task in Digests.tasks for split in ("train", "dev"))
    assert "peak memory: " in said
    assert said.endswith("dry run: this training works; no weight was changed, no run folder made\n")
    assert list(train.folder.iterdir()) == []


@pytest.mark.slow
def test_a_probe_a_schedule_and_windows_do_not_hide_a_task(train, capsys):
    schedule = ["--data.schedule", "Staged", "--data.schedule.first", "sst", "--trainer.accumulate_grad_batches", 2]
    try_out(train, "--dry_run", "true", "--model.linear_probe_epochs", 2, *schedule)
    assert Digests.tasks == ["sst", "quora", "sts"]
    assert Digests.seen[0] == Digests.seen[1]
    assert "this training works" in capsys.readouterr().out


def test_a_dry_run_starts_anew(train, capsys):
    with pytest.raises(SystemExit) as ended:
        try_out(train, "--dry_run", "true", "--ckpt_path", "mine.ckpt")
    assert ended.value.code == 2
    assert "--dry_run tries a new training (expected no --ckpt_path)" in capsys.readouterr().err
    assert list(train.folder.iterdir()) == []
