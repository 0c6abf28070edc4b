import platform
import subprocess
import sys

import pytest

from runtime import allocation

PROGRAM = """
import resource
import runpy
import sys

if sys.argv[1] == "keep":
    assert runpy.run_path(sys.argv[2])["keep_freed_memory"]()
bytearray(b"1") * 2**26
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    bytearray(b"1") * 2**26
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_large_blocks_are_fetched_once() -> None:
    faults = {}
    for choice in ("keep", "leave"):
        command = [sys.executable, "-c", PROGRAM, choice, allocation.__file__]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[choice] = int(run.stdout)
    # Ten blocks of 32 huge pages at least are fetched anew each time; the heap grows for one or two of them.
    assert faults["leave"] >= 320
    assert faults["keep"] <= 2 * faults["leave"] / 10
