"""A class from a package of the user's own, by its whole path, and what can be wrong with it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callbacks.report import PACKAGES
from tests.cli.command_line import CS224N

MODULE = """
from dataclasses import dataclass
from typing import Mapping

import torch
from heads import Head, LabelSpace, LinearHead
from lightning.pytorch import Callback
from objectives import PairObjective, Regularizer, Surgery, Weighting
from tasks import Task
from torch import nn


class Mean(Surgery):
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def coefficients(self, gram, step_id):
        return [self.scale] * len(gram)


class Remembering(nn.Module, Surgery):
    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("steps", torch.zeros(()))

    def coefficients(self, gram, step_id):
        self.steps += 1
        return torch.full(gram.shape[:1], self.scale)


class Short(Surgery):
    def coefficients(self, gram, step_id):
        return [1.0]


class Unreduced(Regularizer):
    def penalty(self, clean):
        return clean.output


class UnreducedPairs(PairObjective):
    def check(self, labels, num_sequences):
        pass

    def loss(self, pooled, labels, again):
        return pooled.sum(dim=(1, 2))


class UnreducedWeighting(Weighting):
    def forward(self, losses, step_id):
        return torch.stack(list(losses.values()))

    def factors(self, step_id):
        return {}


class UnreducedHead(LinearHead):
    def loss(self, output, labels, weights=None):
        return super().loss(output, labels, weights).expand(4)


class Unfinished(Surgery):
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale


class UnfinishedWeighting(Weighting):
    def factors(self, step_id):
        return {}


@dataclass(frozen=True, kw_only=True)
class UnfinishedTask(Task):
    more: int = 1


class Clocks:
    class Inner(Callback):
        pass


def build_clock(rate: int = 1) -> Callback:
    return Callback()


class Untyped(LinearHead):
    def __init__(self, hidden_size, labels, *, scale) -> None:
        super().__init__(hidden_size, labels)


class HalfTyped(LinearHead):
    def __init__(self, hidden_size: int, labels: LabelSpace, *, scale=2) -> None:
        super().__init__(hidden_size, labels)


class PlainHead(Head):
    num_sequences = 1

    def __init__(self, hidden_size: int, labels: LabelSpace) -> None:
        self.linear = nn.Linear(hidden_size, labels.num_classes)

    def compute(self, pooled):
        return self.linear(pooled[:, 0])


class BareWeighting(Weighting):
    def __init__(self, tasks: Mapping[str, LabelSpace], *, scale: float = 1.0) -> None:
        self.scale = scale

    def forward(self, losses, step_id):
        return sum(losses.values())

    def factors(self, step_id):
        return {}


class BareRegularizer(Regularizer, nn.Module):
    def __init__(self) -> None:
        self.register_buffer("seen", torch.zeros(()))

    def penalty(self, clean):
        return clean.output.sum()
"""
BROKEN = {
    "unnamed": "import torch\nlimit = absent_limit\n",
    "unwritten": "def f(:\n",
    "unfound": "from heads import Nothing\n",
}
SURGERY = "--model.surgery"
EVERY = "(expected every method that its base class asks for)"
BARE = "does not call super().__init__() (/"
NO_MODULE = "no module absent (expected the folder that holds it in the environment variable PYTHONPATH"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "elsewhere").mkdir()
    for name, text in {"mine": MODULE, **BROKEN}.items():
        (tmp_path / "elsewhere" / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    yield
    sys.modules.pop("mine", None)  # or its classes could be named in the messages of later tests


def test_a_callback_inside_another_class_and_one_that_a_function_builds_train(package, train):
    for name in ("Clocks.Inner", "build_clock"):
        train("fit", "--trainer.callbacks", f"mine.{name}", "--trainer.max_steps", "1")


def test_an_option_without_a_type_keeps_its_default(package, train):
    train("fit", "--tasks.sst.head", "mine.HalfTyped", "--trainer.max_steps", "1")


def test_a_class_of_another_package_trains(package, train, tmp_path, capsys):
    flags = [SURGERY, "mine.Mean", f"{SURGERY}.scale", "0.5", "--data.schedule", "Joint", "--trainer.max_steps", "1"]
    train("fit", *flags)
    config = next(tmp_path.glob("**/version_0/config.yaml")).read_text(encoding="utf-8")
    assert "class_path: mine.Mean\n    init_args:\n      scale: 0.5" in config
    versions = json.loads(next(tmp_path.glob("**/version_0/report.json")).read_text(encoding="utf-8"))["versions"]
    assert set(versions) == {"tandem", *PACKAGES, "mine"}
    assert versions["mine"].startswith("sha256:")  # no distribution, no checkout


@pytest.mark.parametrize("name", ["Mean", "Remembering"])
def test_a_plan_takes_a_class_that_no_plain_data_describes(name, package, train, capsys):
    flags = [SURGERY, f"mine.{name}", f"{SURGERY}.scale", "0.5", "--data.schedule", "Joint"]
    train.raw("plan", "-c", str(CS224N), *train.tiny, *flags)
    assert "last.ckpt:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([SURGERY, "mine.Short", "--data.schedule", "Joint"], "Short: coefficients are [1.0] (expected "),
        (["--model.regularizer", "mine.Unreduced"], "Unreduced: the penalty has shape ["),
        (["--model.weighting", "mine.UnreducedWeighting"], "UnreducedWeighting: the weighted loss has shape ["),
        (
            ["--tasks.sst.auxiliary", '[{"class_path": "mine.UnreducedPairs"}]'],
            "UnreducedPairs: the loss has shape [",
        ),
        (["--tasks.sst.head", "mine.UnreducedHead"], "UnreducedHead: the loss has shape [4] (expected a scalar)"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_a_class_computes_wrongly_is_one_sentence(flags, message, package, train, capsys):
    train.refuse("fit", *flags)
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([SURGERY, "absent.Mean"], f"model.surgery: {NO_MODULE}"),
        (["--trainer.callbacks", "absent.Clock"], f"trainer.callbacks: {NO_MODULE}"),
        (["--tasks.sst.head", "LinearHead", "--tasks.sst.head.loss", "absent.Loss"], NO_MODULE),
        ([SURGERY, "mine.Meen"], "model.surgery: no Meen in mine (did you mean Mean?)"),
        (["--model.weighting", "mine.Mean"], "model.weighting: mine.Mean is no Weighting (expected a subclass of it)"),
        (["--model.regularizer", "mine.Mean"], "model.regularizer: mine.Mean is no Regularizer (expected a subclass"),
        (
            ["--tasks.sst.head", "mine.Untyped"],
            "error: tasks.sst.head: option scale of Untyped has no type (expected one, as in scale: float)",
        ),
        (
            ["--tasks.sst.head", "mine.HalfTyped", "--tasks.sst.head.scale", "much"],
            "error: tasks.sst.head: option scale of HalfTyped has no type (expected one, as in scale: float)",
        ),
        (["--tasks.sst.head", "mine.PlainHead"], f"error: PlainHead {BARE}"),
        (["--model.weighting", "mine.BareWeighting"], f"error: BareWeighting {BARE}"),
        (["--model.regularizer", "mine.BareRegularizer"], f"error: BareRegularizer {BARE}"),
        (["--trainer.callbacks", "mine.build_clock", "--trainer.callbacks.rat", "2"], "build_clock has no rat (did"),
        ([SURGERY, "mine.Unfinished"], f"error: model.surgery: Unfinished lacks coefficients {EVERY}"),
        ([f'{SURGERY}={{"class_path": "mine.Unfinished"}}'], f"model.surgery: Unfinished lacks coefficients {EVERY}"),
        (["--model.weighting", "mine.UnfinishedWeighting"], f"error: UnfinishedWeighting lacks forward {EVERY}"),
        (["--tasks.x", "mine.UnfinishedTask"], "error: tasks.x: UnfinishedTask lacks "),
        ([SURGERY, "unnamed.Mean"], "error: model.surgery: unnamed cannot be imported (/"),
        ([SURGERY, "unnamed.Mean"], "unnamed.py, line 2: NameError: name 'absent_limit' is not defined)"),
        (["--trainer.callbacks", "unwritten.Clock"], "error: trainer.callbacks: unwritten cannot be imported (/"),
        (["--trainer.callbacks", "unwritten.Clock"], "unwritten.py, line 1: SyntaxError: invalid syntax"),
        (["--tasks.sst.head", "unfound.Head"], "unfound.py, line 1: ImportError: cannot import name 'Nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_class_that_does_not_fit_is_one_sentence(flags, message, package, train, capsys):
    train.refuse("fit", *flags)
    said = capsys.readouterr().err
    assert message in said
    assert "Subtypes" not in said
