"""Runs Python and prints what it took, as JSON: `python -m benchmarks.timed ARGUMENTS`.

A small process of its own, since Linux counts the peak memory of the process that starts another one as the other's.
"""

import json
import os
import subprocess
import sys
import time

from benchmarks.meter import mebibytes


def main() -> int:
    """Run it, print CPU and wall seconds and peak MiB, and return its exit status; its own output goes to stderr."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    found = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - started,
        "peak_mib": mebibytes(usage.ru_maxrss),
    }
    print(json.dumps(found))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
