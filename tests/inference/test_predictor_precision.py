"""The precision that a Predictor computes in."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from inference import Predictor
from runtime import precision
from tests.runs import read_csv

TASKS = {"sst": "Sst", "sts": {"class_path": "Sts", "init_args": {"encoding": "bi"}}}


@pytest.fixture(scope="module")
def run(whole_run: Any) -> Any:
    """A training in bf16 of one epoch, whose dev predictions are those of its weights."""
    return whole_run(tasks=TASKS, trainer__max_epochs=1, trainer__precision="bf16-mixed")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose cache knows nothing of the machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def types_of_products(predictor: Predictor) -> list[torch.dtype]:
    """Return the types that the backbone's first linear layer gives from now on."""
    seen: list[torch.dtype] = []
    layer = next(part for part in predictor.model.backbone.modules() if isinstance(part, torch.nn.Linear))
    layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    return seen


def test_predictions_in_bf16_are_those_of_the_training_in_bf16(run: Any, cs224n_root: Path) -> None:
    with (cs224n_root / "ids-sst-dev.csv").open(newline="") as file:
        texts = [row["sentence"] for row in csv.DictReader(file, delimiter="\t")]
    rows = read_csv(run.version(0) / "predictions" / "sst-dev-probabilities.csv")[1:]
    written = torch.tensor([[float(cell) for cell in cells[1:]] for cells in rows])
    last = run.version(0) / "checkpoints" / "last.ckpt"
    differences = {}
    for name in ("32-true", "bf16-mixed"):
        found = Predictor.load(last, precision=name).predict("sst", texts)
        probabilities = torch.tensor([list(row.probabilities.values()) for row in found])
        differences[name] = float((probabilities - written).abs().mean())
    assert len(texts) == len(written) > 5
    assert differences["bf16-mixed"] < 0.3 * differences["32-true"]


def test_products_are_in_the_precision_that_is_asked_for_and_vectors_in_fp32(run: Any) -> None:
    for name, expected in (("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)):
        predictor = Predictor.load(run.version(0), precision=name)
        seen = types_of_products(predictor)
        vectors = predictor.embed("sts", ["a good film", "bad"])
        assert set(seen) == {expected}
        assert vectors.dtype == torch.float32
        assert vectors.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize(("speedup", "expected"), [(0.1, torch.float32), (2.0, torch.bfloat16)])
def test_auto_measures_the_device_and_remembers_it(
    speedup: float, expected: torch.dtype, run: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "probe", lambda dtype, device: speedup)
    predictor = Predictor.load(run.version(0), precision="auto", device="cpu")
    assert predictor.dtype == expected
    assert (home / ".cache/tandem/precision.json").is_file()
