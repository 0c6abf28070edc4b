"""Methods as others write them: what they remember is saved, what they forget to say is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from callbacks import AtomicCheckpointIO, FinalValidation, ResumableCheckpoint, StepSeed
from datamodules import Joint
from heads import LabelSpace
from lightning_modules import MultitaskModule
from objectives import ForwardPass, Regularizer, StepId, Surgery, Weighting
from tasks import InputError
from tests.tiny import build_module, make_trainer, open_data


@dataclass(eq=False)
class SlowSurgery(Surgery, nn.Module):
    """Weighs each task by a running mean of its gradients' lengths."""

    def __post_init__(self) -> None:
        nn.Module.__init__(self)
        self.register_buffer("lengths", torch.zeros(3, dtype=torch.float64))

    def coefficients(self, gram: Tensor, step_id: StepId) -> Tensor:
        return 1 / self.get_buffer("lengths").lerp_(gram.diagonal().sqrt(), 0.5)


@dataclass(eq=False)
class Centred(Regularizer, nn.Module):
    """Keeps outputs near their running mean; says neither `tasks` nor `needs_gradients`."""

    def __post_init__(self) -> None:
        nn.Module.__init__(self)
        self.register_buffer("mean", torch.zeros(()))

    def penalty(self, clean: ForwardPass) -> Tensor:
        mean = self.get_buffer("mean").lerp_(clean.output.detach().mean(), 0.5)
        return (clean.output.mean() - mean) ** 2


class Unheard(Weighting):
    """Learns a number, but no optimiser hears of it."""

    def __init__(self, tasks: Mapping[str, LabelSpace]) -> None:
        super().__init__(tasks)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        return self.log_scale.exp() * torch.stack(list(losses.values())).sum()

    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        return {task: self.log_scale.exp() for task in self.tasks}


def train(
    folder: Path, backbone: Path, root: Path, *, max_steps: int, ckpt_path: Path | None = None
) -> MultitaskModule:
    torch.manual_seed(0)
    module = build_module(backbone, surgery=SlowSurgery(), regularizer=Centred())
    callbacks = (StepSeed(0), FinalValidation(), ResumableCheckpoint(0))
    settings = {"enable_checkpointing": True, "plugins": [AtomicCheckpointIO()], "accumulate_grad_batches": 3}
    trainer = make_trainer(folder, *callbacks, max_steps=max_steps, **settings)
    data = open_data(backbone, root, folder / "cache", schedule=Joint())
    trainer.fit(module, datamodule=data, ckpt_path=ckpt_path)
    return module


def test_what_surgery_and_regularizer_remember_is_resumed(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    whole = train(tmp_path / "whole", tiny_backbone, cs224n_root, max_steps=3)
    train(tmp_path / "cut", tiny_backbone, cs224n_root, max_steps=1)
    resumed = train(
        tmp_path / "resumed",
        tiny_backbone,
        cs224n_root,
        max_steps=3,
        ckpt_path=tmp_path / "cut" / "checkpoints" / "last.ckpt",
    )
    expected, found = whole.state_dict(), resumed.state_dict()
    assert {"remembering.0.lengths", "remembering.1.mean"} <= found.keys() == expected.keys()
    assert [name for name, tensor in expected.items() if not torch.equal(found[name], tensor)] == []


def test_a_parameter_that_no_optimiser_group_has_is_refused(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    module = build_module(tiny_backbone, weighting=Unheard)
    with pytest.raises(InputError, match=r"Unheard: log_scale would never train \(expected in the parameter_gro"):
        make_trainer(tmp_path).fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
