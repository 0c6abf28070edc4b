"""Settings of model and data with tasks over the same rows: the numbers of the plain way, or a refusal."""

import csv
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backbones import Lora, Pals
from datamodules import JointBatch, MultitaskDataModule, passes
from lightning_modules import MultitaskModule
from objectives import UpGrad
from tasks import InputError, Task
from tasks.teacher import Teacher
from tests.tables import pair_tasks, table_tasks, write_table
from tests.tiny import build_module, make_trainer, open_data

Fit = Callable[..., tuple[MultitaskModule, MultitaskDataModule]]
TASKS = {**table_tasks(), **pair_tasks(id="id")}


@pytest.fixture
def fit(word_backbone: Path, tmp_path: Path) -> Fit:
    def run(
        tasks: dict[str, Task] = TASKS, *, data: dict[str, Any] | None = None, trainer: Any = None, **model: Any
    ) -> tuple[MultitaskModule, MultitaskDataModule]:
        for name in ("train.tsv", "dev.tsv"):
            write_table(tmp_path, name)
        torch.manual_seed(0)
        module = build_module(word_backbone, tasks=tasks, **model)
        for part in module.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        opened = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, **(data or {}))
        settings = {"max_steps": 4, "precision": "64-true", **(trainer or {})}
        make_trainer(tmp_path, **settings).fit(module, datamodule=opened)
        return module, opened

    return run


def assert_same_weights(found: MultitaskModule, expected: MultitaskModule) -> None:
    for name, weight in expected.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), weight, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    "settings",
    [
        {"attention": "masked"},
        {"data": {"round_tokens": 64}},
        {"data": {"on_device": True}},
        {"attention": "masked", "data": {"round_tokens": 64, "on_device": True}},
        {"data": {"num_workers": 1}},
    ],
    ids=str,
)
def test_every_way_to_compute_trains_alike(fit: Fit, settings: dict[str, Any]) -> None:
    expected, _ = fit()
    assert_same_weights(fit(**settings)[0], expected)


@pytest.mark.slow
def test_a_compiled_training_trains_alike(fit: Fit) -> None:
    expected, _ = fit()
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()

    found, _ = fit(compile="default", data={"round_tokens": 64})

    assert counters["stats"]["unique_graphs"] > 0  # where the compiler fails, all runs as it is
    assert counters["aot_autograd"]["not_ok"] == 0
    assert_same_weights(found, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compile": "reduce-overhead"}, r"reduce-overhead with tasks of two encodings that share their rows"),
        (
            {"compile": "default", "surgery": UpGrad()},
            r"UpGrad makes a backward pass for each of the tasks that share .*\(expected model.compile none",
        ),
    ],
)
def test_what_compiling_does_not_fit_is_refused(fit: Fit, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(data={"round_tokens": 64}, **settings)


def test_low_rank_factors_learn_from_all_tasks_of_a_step(fit: Fit) -> None:
    """The factors are shared, and nothing else of the backbone trains."""
    module, data = fit(table_tasks(), adapter=Lora(r=2), trainer={"max_steps": 1})
    (batch, *_) = data.train_dataloader()
    batch = module.trainer.precision_plugin.convert_input(batch)
    assert isinstance(batch, JointBatch)
    assert len(passes(batch)) == 1

    def gradients(loss: Tensor) -> dict[str, Tensor]:
        module.zero_grad()
        loss.backward()
        return {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}

    module.train()
    joint = gradients(module.training_step(batch, 0)["loss"])
    apart = [gradients(module.training_step(part, 0)["loss"]) for part in batch.parts]
    assert {name for name in joint if name.startswith("backbone.")} == {
        f"backbone.{name}" for name in module.backbone.shared_parameters()
    }
    assert all("lora" in name.lower() for name in module.backbone.shared_parameters())
    for name, gradient in joint.items():
        torch.testing.assert_close(gradient, sum(each[name] for each in apart if name in each), rtol=1e-5, atol=1e-9)


def test_the_log_says_that_layers_of_each_task_take_a_pass_each(fit: Fit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fit(adapter=Pals(num_heads=2))
    assert "tasks topic, stars, tags share batch and step, but take a forward pass each" in caplog.text
    assert "tasks cross, bi share batch and step, but take a forward pass each" in caplog.text


def write_predictions(path: Path, names: list[str], rows: int) -> dict[str, list[float]]:
    """Write probabilities, or scores where there are no names, and return them by id."""
    numbers = torch.rand(rows, max(1, len(names)), generator=torch.Generator().manual_seed(len(names))).double()
    columns = numbers / numbers.sum(dim=1, keepdim=True) if names else 1 + 4 * numbers
    header = ["id", *(names or ["Prediction"])]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *([f"r{row}", *line] for row, line in enumerate(columns.tolist()))])
    return {f"r{row}": line for row, line in enumerate(columns.tolist())}


def test_each_task_of_a_stream_learns_from_its_own_saved_predictions(fit: Fit, tmp_path: Path) -> None:
    """Also from the predictions for rows that lack its label."""
    films = write_predictions(tmp_path / "topic-train-probabilities.csv", ["film", "song"], 11)
    stars = write_predictions(tmp_path / "stars-train.csv", [], 11)
    tasks = table_tasks(
        topic={"teacher": Teacher(files=(str(tmp_path / "topic-train-probabilities.csv"),), weight=0.3)},
        stars={"teacher": Teacher(files=(str(tmp_path / "stars-train.csv"),), weight=1.0)},
    )
    module, data = fit(tasks, trainer={"max_steps": 1})
    module.train()
    seen = 0
    for batch in data.train_dataloader():
        converted = module.trainer.precision_plugin.convert_input(batch)
        result = module.training_step(converted, 0)
        for part, saved in zip(converted.parts, (films, stars), strict=False):
            taught = torch.tensor([saved[row] for row in part.ids]).double().squeeze(-1)
            torch.testing.assert_close(part.teacher, taught, rtol=1e-5, atol=1e-6)
            weight = module.tasks[part.task].teacher.weight
            soft = weight * module.heads[part.task].soft_loss(module(part), taught, 1.0)
            torch.testing.assert_close(result["terms"][f"{part.task}/teacher"].value, soft, rtol=1e-5, atol=1e-6)
            seen += len(part.rows)
        assert converted.parts[2].teacher is None
        values = {name: term.value for name, term in result["terms"].items()}
        own = 0.7 * values["topic/loss"] + values["tags/loss"]
        taught = values["topic/teacher"] + values["stars/teacher"]
        torch.testing.assert_close(result["loss"].detach(), own + taught, rtol=1e-5, atol=1e-6)
    assert seen == 2 * 11
