"""Which processor this is: its name, and the instructions on which the speed of matrix products depends."""

import platform
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
MATRIX_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_fp16", "asimd", "sve", "bf16")


def processor() -> str:
    """Return the processor's name."""
    return _name(_read())


def processor_and_instructions() -> str:
    """Return the processor's name and its instructions for matrix products, as far as the system lists them.

    The name alone is not enough to remember a measurement by: virtual machines call processors with and without AMX
    the same.
    """
    read = _read()
    listed = f"{read.get('flags', '')} {read.get('Features', '')}".split()
    return " ".join([_name(read), *(name for name in MATRIX_INSTRUCTIONS if name in listed)])


def _name(read: Mapping[str, str]) -> str:
    return read.get("model name") or platform.processor() or platform.machine()


def _read() -> Mapping[str, str]:
    """Return what Linux says of the first processor; nothing elsewhere."""
    if not CPUINFO.is_file():
        return {}
    with CPUINFO.open(encoding="utf-8", errors="replace") as file:
        lines = [line.partition(":") for line in takewhile(str.strip, file)]
    return {name.strip(): value.strip() for name, _, value in lines}
