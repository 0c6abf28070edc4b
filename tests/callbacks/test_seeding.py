from itertools import product
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch

from callbacks import StepSeed
from callbacks.seeding import step_seed
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


class Draws(L.Callback):
    """Keeps the first random numbers and the dropped entries of each step."""

    def __init__(self) -> None:
        self.numbers: list[tuple[float, ...]] = []
        self.masks: list[list[bool]] = []

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        state = torch.get_rng_state()
        self.numbers.append(tuple(torch.rand(3).tolist()))
        torch.set_rng_state(state)
        dropped = pl_module.heads["sst"].dropout(torch.ones(16)) == 0
        self.masks.append(dropped.tolist())
        torch.set_rng_state(state)


def draw(seed: int, folder: Path, backbone: Path, root: Path, *, before: int) -> Draws:
    draws = Draws()
    torch.manual_seed(before)  # what happened before the training must not matter
    module = build_module(backbone)
    make_trainer(folder, StepSeed(seed), draws, max_epochs=2).fit(
        module, datamodule=open_data(backbone, root, folder / "cache")
    )
    return draws


def test_random_numbers_repeat_under_a_seed_and_differ_between_steps(tiny_backbone, cs224n_root, tmp_path):
    first = draw(5, tmp_path, tiny_backbone, cs224n_root, before=1)
    second = draw(5, tmp_path, tiny_backbone, cs224n_root, before=2)
    other = draw(6, tmp_path, tiny_backbone, cs224n_root, before=1)
    assert len(first.numbers) == 2 * STEPS_AN_EPOCH
    assert first.numbers == second.numbers
    assert first.masks == second.masks
    assert len({*first.numbers, *other.numbers}) == 4 * STEPS_AN_EPOCH
    assert any(any(mask) for mask in first.masks)


def test_step_seeds_do_not_collide():
    seeds = {step_seed(*numbers) for numbers in product(range(8), repeat=4)}
    assert len(seeds) == 8**4
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_step_seed_stays_the_same_between_versions():
    # Golden value: python -c "from callbacks.seeding import step_seed; print(step_seed(42, 0, 1, 2))"
    assert step_seed(42, 0, 1, 2) == 7_028_074_014_516_583_563
