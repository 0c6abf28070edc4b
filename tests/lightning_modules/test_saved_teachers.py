"""Rows without a label that a saved teacher answers, over several batches of an optimiser step."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import Tensor

from heads import LinearHead
from tasks import Classification, Source, Teacher
from tests.tiny import build_module, make_trainer, open_data

LABELS = ["0", "", "2", "1", "", "2", "", "", "", "", "1"]


class Gradients(L.Callback):
    """Keeps the gradients of the last optimiser step."""

    def __init__(self) -> None:
        self.found: dict[str, Tensor] = {}

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        weights = pl_module.named_parameters()
        self.found = {name: weight.grad.clone() for name, weight in weights if weight.grad is not None}


@pytest.mark.parametrize("rows", [1, 3, 4, 6])
@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_an_accumulated_window_equals_one_batch_of_its_rows(
    word_backbone: Path, tmp_path: Path, rows: int, weight: float
) -> None:
    """Also where a batch of the window has no label: its rows learn from the teacher all the same."""
    lines = [f"the film {'was good ' * (number % 4)}\t{label}" for number, label in enumerate(LABELS)]
    (tmp_path / "stars.tsv").write_text("\n".join(["text\tstars", *lines]) + "\n")
    answers = [f"{number},{0.1 * (number % 5):.1f},0.5,{0.5 - 0.1 * (number % 5):.1f}" for number in range(len(LABELS))]
    (tmp_path / "taught.csv").write_text("\n".join(["id,0,1,2", *answers]) + "\n")
    task = Classification(
        source=Source(train="stars.tsv", dev="stars.tsv"),
        texts=("text",),
        label="stars",
        num_classes=3,
        missing_labels="ignore",
        head=partial(LinearHead, dropout=0.0),
        teacher=Teacher(files=(str(tmp_path / "taught.csv"),), weight=weight),
    )

    def train(batch_size: int) -> dict[str, Tensor]:
        torch.manual_seed(0)
        module = build_module(word_backbone, tasks={"stars": task})
        for part in module.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks={"stars": task}, batch_size=batch_size)
        watch = Gradients()
        window = -(-len(LABELS) // batch_size)
        make_trainer(tmp_path, watch, accumulate_grad_batches=window).fit(module, datamodule=data)
        return watch.found

    expected, found = train(len(LABELS)), train(rows)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-6, msg=name)
