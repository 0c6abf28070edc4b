import json
from pathlib import Path

import pytest
import torch

from backbones import matmul


@pytest.fixture(autouse=True)
def _restore_switch():
    before = torch.backends.mkldnn.matmul.fp32_precision
    yield
    torch.backends.mkldnn.matmul.fp32_precision = before


def test_the_probe_leaves_the_switch_as_it_was() -> None:
    for before in ("none", "bf16"):
        torch.backends.mkldnn.matmul.fp32_precision = before
        matmul.probe()
        assert torch.backends.mkldnn.matmul.fp32_precision == before


def test_the_switch_is_on_only_where_products_stay_accurate(tmp_path: Path) -> None:
    on = matmul.choose_matmul(tmp_path / "matmul.json")
    left, right = torch.randn(2, 256, 256, generator=torch.Generator().manual_seed(1)).unbind()
    exact = left.double() @ right.double()
    assert ((left @ right - exact).norm() / exact.norm()) < 1e-6
    assert torch.backends.mkldnn.matmul.fp32_precision == ("bf16" if on else "none")


@pytest.mark.parametrize("choice", [True, False])
def test_a_remembered_choice_is_taken_without_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: bool
) -> None:
    monkeypatch.setattr(matmul, "probe", lambda: choice)
    assert matmul.choose_matmul(tmp_path / "matmul.json") is choice
    monkeypatch.setattr(matmul, "probe", lambda: pytest.fail("measured again"))
    assert matmul.choose_matmul(tmp_path / "matmul.json") is choice
    assert list(json.loads((tmp_path / "matmul.json").read_text()).values()) == [choice]
