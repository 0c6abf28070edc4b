from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from callbacks import StepSeed
from objectives import RDrop, Smart
from tasks import InputError, Sts
from tests.tiny import STEPS_AN_EPOCH, TASKS, build_module, make_trainer, open_data


class Losses(Callback):
    """Keeps the loss and the number of tokens of each step."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, int]] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.steps.append((float(outputs["task_loss"]), batch.tokens.input_ids.numel()))


@pytest.fixture
def fit(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Any:
    def run(*, data: dict[str, Any] | None = None, trainer: dict[str, Any] | None = None, **model: Any) -> Any:
        torch.manual_seed(0)
        losses, tasks = Losses(), {**TASKS, "sts": Sts(encoding="bi")}
        module = build_module(tiny_backbone, tasks=tasks, **model)
        for part in module.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        settings = {"batch_size": 5, "max_length": 32, **(data or {})}  # twelve rows: a short last batch
        own = make_trainer(tmp_path, StepSeed(1), losses, limit_val_batches=1, **(trainer or {}))
        own.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks, **settings))
        return losses.steps, module

    return run


@pytest.mark.parametrize(
    "ways",
    [
        {"attention": "masked"},
        {"data": {"round_tokens": 64}},
        {"data": {"on_device": True}},
        {"attention": "masked", "data": {"round_tokens": 64, "on_device": True}},
        {"attention": "varlen"},  # falls back
    ],
    ids=str,
)
def test_every_way_to_compute_trains_alike(ways: dict[str, Any], fit: Any) -> None:
    expected, _ = fit()
    found, module = fit(**ways)

    assert len(found) == STEPS_AN_EPOCH
    assert [loss for loss, _ in found] == pytest.approx([loss for loss, _ in expected], abs=1e-5)
    if ways.get("data", {}).get("round_tokens"):
        assert {tokens % 64 for _, tokens in found} == {0}
        assert module.backbone.attention == ways.get("attention", "grouped")


def test_data_on_the_device_changes_no_bit(fit: Any) -> None:
    _, expected = fit()
    _, module = fit(data={"on_device": True})

    for name, tensor in expected.state_dict().items():
        assert torch.equal(module.state_dict()[name], tensor), name


def test_weights_cast_together_change_no_bit_of_a_bf16_training(fit: Any) -> None:
    _, expected = fit(trainer={"precision": "bf16-mixed"})
    _, module = fit(trainer={"precision": "bf16-mixed"}, weight_casts="together")

    for name, tensor in expected.state_dict().items():
        assert torch.equal(module.state_dict()[name], tensor), name


@pytest.mark.slow
def test_a_compiled_training_trains_alike_and_its_weights_have_the_same_names(fit: Any) -> None:
    expected, module = fit()
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()

    found, compiled = fit(compile="default", data={"round_tokens": 256})

    assert counters["stats"]["unique_graphs"] > 0  # where the compiler fails, all runs as it is
    assert counters["aot_autograd"]["not_ok"] == 0
    assert [loss for loss, _ in found] == pytest.approx([loss for loss, _ in expected], abs=1e-5)
    assert compiled.backbone.attention == "masked"
    assert list(compiled.state_dict()) == list(module.state_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compile": "default"}, r"model.compile is default without static shapes.*\(expected data.round_tokens"),
        (
            {"compile": "reduce-overhead", "data": {"round_tokens": 64}, "trainer": {"accumulate_grad_batches": 2}},
            r"reduce-overhead with trainer.accumulate_grad_batches above 1",
        ),
        (
            {"compile": "default", "data": {"round_tokens": 64}, "regularizer": Smart()},
            r"model.compile is default with Smart, whose perturbed pass is never compiled",
        ),
        (
            {"compile": "reduce-overhead", "data": {"round_tokens": 64}, "regularizer": RDrop()},
            r"reduce-overhead with a regulariser or SimCse, which passes a batch again",
        ),
        (
            {"compile": "default", "data": {"round_tokens": 64}, "weight_casts": "together"},
            r"model.weight_casts is together with model.compile \(expected each",
        ),
        (
            {"trainer": {"precision": "bf16-true"}},
            r"trainer.precision is bf16-true \(expected bf16-mixed, 16-mixed, 32-true, 64-true\)",
        ),
        ({"trainer": {"precision": "16-true"}}, r"trainer.precision is 16-true \(expected bf16-mixed"),
        ({"data": {"round_tokens": -1}}, r"data.round_tokens is -1 \(expected 0 or more\)"),
        ({"data": {"on_device": True, "num_workers": 1}}, r"data.num_workers is 1 with data.on_device"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], message: str, fit: Any) -> None:
    with pytest.raises(InputError, match=message):
        fit(**settings)
