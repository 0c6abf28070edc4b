"""A program that is warm and then ends, as one that the system kills for its memory."""

import os
import sys

from benchmarks.job import Job
from benchmarks.meter import Meter, Work


def run(job: Job, meter: Meter) -> None:
    """Reply to the first epoch, close what is read from, and end."""
    meter.begin()
    os.close(0)
    meter.end(Work(examples=1, tokens=1, slots=1))
    print("out of memory", file=sys.stderr, flush=True)
    os._exit(7)
