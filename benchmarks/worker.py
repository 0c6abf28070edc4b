"""The process of one program: `python -m benchmarks.worker`, driven over stdin and stdout by the coordinator.

It imports no library itself: what a program costs in memory and time is its own. The number of threads is in the
environment, which the coordinator sets.
"""

import importlib
import json
import os
import sys

from benchmarks.job import Job
from benchmarks.meter import Meter, Unavailable


def main() -> None:
    """Run the job of the first input line; libraries' own output goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = Job.from_json(sys.stdin.readline())
    try:
        if job.precision == "onednn":
            importlib.import_module("benchmarks.probe").use_onednn()
        importlib.import_module(job.program).run(job, Meter(sys.stdin, replies))
    except (ImportError, Unavailable) as error:
        if isinstance(error, ImportError) and not job.program.startswith("benchmarks.peers."):
            raise
        print(json.dumps({"unavailable": str(error).strip().splitlines()[0]}), file=replies, flush=True)


if __name__ == "__main__":
    main()
