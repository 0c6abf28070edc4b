"""Schedules: which task comes at each step of an epoch, the kinds of them in files of their own."""

from datamodules.schedules.passes import RoundRobinShuffled, Sequential, Shuffled
from datamodules.schedules.powers import Annealed, Temperature
from datamodules.schedules.schedule import Epoch, Schedule
from datamodules.schedules.staged import Staged
from datamodules.schedules.turns import Joint, RoundRobin

__all__ = [
    "Annealed",
    "Epoch",
    "Joint",
    "RoundRobin",
    "RoundRobinShuffled",
    "Schedule",
    "Sequential",
    "Shuffled",
    "Staged",
    "Temperature",
]
