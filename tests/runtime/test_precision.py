import json
import logging
import time
from pathlib import Path

import pytest
import torch

from runtime import matmul, precision
from runtime.precision import choose, compare, probe, remembered_speedup, settle_precision

CPU = torch.device("cpu")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "precision.json"


def remember(monkeypatch: pytest.MonkeyPatch, speedup: float) -> list[torch.dtype]:
    """Let the probe measure a given speedup; return the types that it is asked for."""
    asked: list[torch.dtype] = []

    def measured(dtype: torch.dtype, device: torch.device) -> float:
        asked.append(dtype)
        return speedup

    monkeypatch.setattr(precision, "probe", measured)
    return asked


@pytest.mark.parametrize(
    ("asked", "speedup", "expected", "said"),
    [
        ("auto", 1 / 12, "32-true", "precision: 32-true (products in bf16 take 12 times as long as in fp32 on this"),
        ("auto", 1.1, "32-true", "precision: 32-true (products in bf16 are 1.1 times as fast as in fp32 on this"),
        ("auto", 1.9, "bf16-mixed", "precision: bf16-mixed (products in bf16 are 1.9 times as fast as in fp32 on"),
        ("bf16-mixed", 1 / 12, "bf16-mixed", "precision bf16-mixed: products in bf16 take 12 times as long as in"),
        ("bf16", 0.5, "bf16", "precision bf16: products in bf16 take 2 times as long as in fp32 on this cpu ("),
        ("16-mixed", 0.5, "16-mixed", "precision 16-mixed: products in bf16 take 2 times as long"),  # so on a CPU
        (16, 0.5, 16, "precision 16: products in bf16 take 2 times as long"),
        ("bf16-mixed", 1.0, "bf16-mixed", None),
        ("bf16-mixed", 1.9, "bf16-mixed", None),
    ],
)
def test_a_precision_is_settled_by_what_was_measured(
    asked: str | int,
    speedup: float,
    expected: str | int,
    said: str | None,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    types = remember(monkeypatch, speedup)
    assert settle_precision(asked, CPU, memory) == expected
    assert types == [torch.bfloat16]
    lines = [record.getMessage() for record in caplog.records]
    assert [line[: len(said or "")] for line in lines] == ([] if said is None else [said])


@pytest.mark.parametrize("asked", [None, "32-true", 32, "64-true"])
def test_without_half_precision_nothing_is_measured(
    asked: str | int | None, memory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    types = remember(monkeypatch, 0.1)
    assert settle_precision(asked, CPU, memory) == asked
    assert types == []
    assert not caplog.records
    assert not memory.exists()


def test_fp16_is_measured_as_itself_where_it_is_computed_and_never_chosen(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = remember(monkeypatch, 3.0)
    assert settle_precision("16-mixed", torch.device("meta"), memory) == "16-mixed"
    assert types == [torch.float16]
    assert choose(100) == "bf16-mixed"
    assert (
        compare("16-mixed", 3.0, torch.device("meta")) == "products in fp16 are 3 times as fast as in fp32 on this meta"
    )


def test_the_probe_is_short_and_agrees_with_a_layer_measured_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.randn(8, 8) @ torch.randn(8, 8)  # loads the libraries, which any run needs
    threads = torch.get_num_threads()
    started = time.process_time()
    found = probe(torch.bfloat16, CPU)
    assert time.process_time() - started < 0.3 * threads
    assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    x, weight = torch.randn(640, 256), torch.randn(1024, 256)
    seconds = {kind: _best_of_five(x.to(kind), weight.to(kind)) for kind in (torch.float32, torch.bfloat16)}
    torch.set_num_threads(threads)
    own = seconds[torch.float32] / seconds[torch.bfloat16]  # of the product alone, in a shape that is known
    assert own / 10 < found < own * 10


def _best_of_five(x: torch.Tensor, weight: torch.Tensor) -> float:
    seconds = []
    for _ in range(6):
        started = time.process_time()
        x @ weight.t()
        seconds.append(time.process_time() - started)
    return min(seconds[1:])


def test_where_half_precision_is_far_slower_the_large_layer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs: list[int] = []

    def compared(rows: list[int], width: int, dtype: torch.dtype, device: torch.device) -> float:
        inputs.append(width)
        return 0.01

    monkeypatch.setattr(precision, "_compare", compared)
    assert probe(torch.bfloat16, CPU) == 0.01
    assert inputs == [128]


def test_what_was_measured_is_kept_for_the_device_and_the_kind_of_fp32(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.backends.mkldnn.matmul.fp32_precision  # type: ignore[attr-defined]
    try:
        matmul.set_onednn(on=False)
        remember(monkeypatch, 1.5)
        assert remembered_speedup("bf16-mixed", CPU, memory) == 1.5
        remember(monkeypatch, 9.0)
        assert remembered_speedup("bf16-mixed", CPU, memory) == 1.5
        matmul.set_onednn(on=True)
        assert remembered_speedup("bf16-mixed", CPU, memory) == 9.0
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before  # type: ignore[attr-defined]
    assert sorted(json.loads(memory.read_text()).values()) == [1.5, 9.0]


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "b"}', "\x00\xff", '{"a": -1.0}'])
def test_a_damaged_memory_is_made_anew(content: str, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.parent.mkdir()
    memory.write_text(content, encoding="latin-1")
    remember(monkeypatch, 1.5)
    assert remembered_speedup("bf16-mixed", CPU, memory) == 1.5
    assert list(json.loads(memory.read_text()).values()) == [1.5]


def test_a_memory_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("x")
    remember(monkeypatch, 1.5)
    assert settle_precision("auto", CPU, tmp_path / "file" / "precision.json") == "bf16-mixed"
    assert "precision.json: not written, the next run measures precisions again" in caplog.text
