"""Two tasks over the same pairs, the second taught by the first, against one task with a TwinHead."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backbones import pack
from datamodules import JointBatch, MultitaskDataModule, TaskBatch
from datamodules.batch import take_part
from datamodules.batch_rows import BatchRows
from datamodules.pairs import choose_swapped, lay_out, swap_sides
from heads import TwinHead
from lightning_modules import MultitaskModule
from tasks import Quora, Sts, Task, Teacher
from tests.tiny import build_module, open_data


def without_dropout(module: MultitaskModule) -> MultitaskModule:
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return module


def gradients_of(module: MultitaskModule) -> dict[str, Tensor]:
    return {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("kind", [Quora, Sts])
@pytest.mark.parametrize("swap", [False, True])
def test_two_tasks_are_what_a_twin_head_is(
    kind: Callable[..., Task], swap: bool, tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    weight, share, temperature = 0.7, 0.3, 2.0
    twin: dict[str, Task] = {
        "sts": kind(
            encoding="both", weight=weight, swap=swap, head=partial(TwinHead, share=share, temperature=temperature)
        )
    }
    teacher = Teacher(task="sts", weight=share, temperature=temperature)
    shared = {"weight": weight, "swap": swap}
    pair: dict[str, Task] = {
        "sts": kind(encoding="cross", **shared),
        "sts_bi": kind(encoding="bi", teacher=teacher, **shared),
    }
    torch.manual_seed(0)
    old, new = (without_dropout(build_module(tiny_backbone, tasks=tasks)) for tasks in (twin, pair))
    new.backbone.load_state_dict(old.backbone.state_dict())
    new.heads["sts"].load_state_dict(old.heads["sts"].cross.state_dict())
    new.heads["sts_bi"].load_state_dict(old.heads["sts"].bi.state_dict())
    data = [open_data(tiny_backbone, cs224n_root, tmp_path / str(len(tasks)), tasks=tasks) for tasks in (twin, pair)]
    for each in data:
        each.prepare_data()
        each.setup("fit")
    numbers = {row: number for number, row in enumerate(data[0].stores["train"]["sts"].all_ids())}
    compared = 0
    for joint in data[1].train_dataloader():
        assert isinstance(joint, JointBatch)
        rows = same_pairs(data[0], joint, numbers, swapped_as="sts+sts_bi" if swap else None)
        results, gradients = [], []
        for module, batch in ((old, rows), (new, joint)):
            module.zero_grad()
            results.append(module.training_step(batch, 0))
            results[-1]["loss"].backward()
            gradients.append(gradients_of(module))
        assert results[1]["loss"].item() == pytest.approx(results[0]["loss"].item(), rel=1e-5)
        renamed = {
            name.replace("heads.sts.cross", "heads.sts").replace("heads.sts.bi", "heads.sts_bi"): gradient
            for name, gradient in gradients[0].items()
        }
        assert renamed.keys() == gradients[1].keys()
        assert len(renamed) > 10
        for name, gradient in renamed.items():
            torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)
        compared += 1
    assert compared == 3


def same_pairs(
    data: MultitaskDataModule, joint: JointBatch, numbers: dict[str, int], *, swapped_as: str | None
) -> TaskBatch:
    """Return the batch of the same pairs for the TwinHead, with the same of them swapped."""

    store = data.stores["train"]["sts"]
    rows = np.array([numbers[name] for name in joint.ids])
    index = BatchRows("sts", rows)
    tokens, firsts = [store.tokens(int(row)) for row in rows], store.first_lengths[rows]
    if swapped_as:
        chosen = choose_swapped(rows, seed=data.seed, epoch=0, task=swapped_as)
        for place in np.flatnonzero(chosen):
            tokens[place], firsts[place] = swap_sides(tokens[place], int(firsts[place]), "both", store.template)
        assert chosen.any()
    packed = pack(*lay_out(tokens, firsts, "both", store.template))
    return take_part(store, index, "sts", packed, seed=data.seed)
