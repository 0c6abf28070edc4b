"""Processors of one name with other instructions are told apart."""

from pathlib import Path

import pytest

from runtime import processor as module
from runtime.processor import processor, processor_and_instructions


def listed(flags: str) -> str:
    cores = (f"processor\t: {core}\nmodel name\t: Intel(R) Xeon(R) Processor\nflags\t\t: fpu {flags}" for core in "01")
    return "\n\n".join(cores) + "\n"


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


def test_virtual_machines_call_processors_with_and_without_amx_the_same(cpuinfo: Path) -> None:
    cpuinfo.write_text(listed("avx2 avx512f avx512_bf16 amx_bf16"))
    with_amx = processor_and_instructions()
    cpuinfo.write_text(listed("avx2 avx512f avx512_bf16"))
    assert processor() == "Intel(R) Xeon(R) Processor"
    assert processor_and_instructions() == "Intel(R) Xeon(R) Processor avx2 avx512f avx512_bf16"
    assert with_amx == "Intel(R) Xeon(R) Processor avx2 avx512f avx512_bf16 amx_bf16"


def test_arm_lists_features_and_no_name(cpuinfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "processor", lambda: "aarch64")
    cpuinfo.write_text("processor\t: 0\nFeatures\t: fp asimd sve bf16\n\nprocessor\t: 1\n")
    assert processor_and_instructions() == "aarch64 asimd sve bf16"


def test_without_a_list_the_name_is_all(cpuinfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "processor", lambda: "arm")
    assert not cpuinfo.exists()
    assert (processor(), processor_and_instructions()) == ("arm", "arm")
