import json
from pathlib import Path

import pytest
import torch

from runtime import matmul


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


@pytest.mark.parametrize("content", ["", '{"lin', "[1, 2]", '{"a": 3}', "\x00\xff"])
def test_a_damaged_memory_is_made_anew(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "probe", lambda: False)
    memory = tmp_path / "matmul.json"
    memory.write_text(content, encoding="latin-1")
    assert matmul.choose_matmul(memory) is False
    assert list(json.loads(memory.read_text()).values()) == [False]


def test_a_memory_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(matmul, "probe", lambda: True)
    (tmp_path / "file").write_text("x")
    assert matmul.choose_matmul(tmp_path / "file" / "matmul.json") is True
    assert caplog.messages[0].startswith(f"{tmp_path}/file/matmul.json: not written")


def test_what_another_process_found_meanwhile_counts_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "matmul.json"

    def probe_beside_others() -> bool:
        with pytest.MonkeyPatch.context() as other:
            other.setattr(matmul, "probe", lambda: True)
            matmul.choose_matmul(memory)
            other.setattr(matmul, "processor_and_instructions", lambda: "another processor")
            matmul.choose_matmul(memory)
        return False

    monkeypatch.setattr(matmul, "probe", probe_beside_others)
    assert matmul.choose_matmul(memory) is True
    assert len(json.loads(memory.read_text())) == 2


def test_the_number_of_threads_changes_no_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "probe", lambda: True)
    matmul.choose_matmul(tmp_path / "matmul.json")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr(matmul, "probe", lambda: pytest.fail("measured again"))
    assert matmul.choose_matmul(tmp_path / "matmul.json") is True
