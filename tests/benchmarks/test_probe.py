from collections.abc import Iterator

import pytest
import torch

from benchmarks.meter import Unavailable
from benchmarks.probe import LARGEST_ERROR, relative_error, use_onednn


@pytest.fixture
def matmul() -> Iterator[object]:
    """The switch's owner; the switch is put back afterwards."""
    matmul = torch.backends.mkldnn.matmul
    before = matmul.fp32_precision
    yield matmul
    matmul.fp32_precision = before


def test_the_default_products_are_accurate_to_fp32(matmul: object) -> None:
    assert relative_error() < LARGEST_ERROR


def test_the_switch_is_on_and_accurate_or_refused_and_off(matmul: torch.nn.Module) -> None:
    before = matmul.fp32_precision
    matmul.fp32_precision = "bf16"
    is_exact = relative_error() <= LARGEST_ERROR
    matmul.fp32_precision = before
    if is_exact:
        use_onednn()
        assert matmul.fp32_precision == "bf16"
    else:
        with pytest.raises(Unavailable, match="relative error"):
            use_onednn()
        assert matmul.fp32_precision == before
    assert relative_error() <= LARGEST_ERROR
