"""Pairs made from the rows of a pair task by editing one text, so that shared words do not tell the label."""

from augmentation.fluency import Fluency
from augmentation.generated_pairs import GeneratedPairs
from augmentation.generating import PREFIX, Generated, Generator, TrainingPair
from augmentation.kinds import KIND_NAMES, KINDS, Kind, KindName

__all__ = [
    "KINDS",
    "KIND_NAMES",
    "PREFIX",
    "Fluency",
    "Generated",
    "GeneratedPairs",
    "Generator",
    "Kind",
    "KindName",
    "TrainingPair",
]
