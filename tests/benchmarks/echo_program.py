"""The smallest program: counts its epochs, so that a test sees who was asked when."""

import time

from benchmarks.job import Job
from benchmarks.meter import Meter, Work


def run(job: Job, meter: Meter) -> None:
    """Count; a program's own output must not reach the coordinator."""
    print("noise on stdout")
    for _ in range(job.rounds + 1):
        meter.begin()
        meter.end(Work(examples=1, tokens=1, slots=1, score=time.monotonic()))
