"""Ours, masked language modelling: Lightning's Trainer with our module and data module, as `pretrain.py fit`."""

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.ours.building import EpochMeter, build_masked_lm, build_masked_lm_data, fit


def run(job: Job, meter: Meter) -> None:
    """Train the masked language model."""
    fit(job, EpochMeter(meter), build_masked_lm(job), build_masked_lm_data(job))
