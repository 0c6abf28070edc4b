"""Which processor this is: its name, and the instructions on which the speed of matrix products depends."""

import platform
from collections.abc import Mapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
MATRIX_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_fp16", "asimd", "sve", "bf16")


def processor() -> str:
    """Return the processor's name."""
    return _read().get("model name") or platform.processor() or platform.machine()


def processor_and_instructions() -> str:
    """Return the processor's name and its instructions for matrix products, as far as the system lists them.

    The name alone is not enough to remember a measurement by: virtual machines call processors with and without AMX
    the same.
    """
    read = _read()
    listed = f"{read.get('flags', '')} {read.get('Features', '')}".split()
    return " ".join([processor(), *(name for name in MATRIX_INSTRUCTIONS if name in listed)])


def _read() -> Mapping[str, str]:
    """Return what Linux says of the first processor; nothing elsewhere."""
    if not CPUINFO.is_file():
        return {}
    first = CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    lines = [line.partition(":") for line in first.splitlines()]
    return {name.strip(): value.strip() for name, _, value in lines}
