"""Ours, training: Lightning's Trainer with our module, data module and callbacks, as `train.py fit` runs them."""

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.ours.building import EpochMeter, build_data, build_module, fit


def run(job: Job, meter: Meter) -> None:
    """Train the classifier."""
    fit(job, EpochMeter(meter), build_module(job), build_data(job))
