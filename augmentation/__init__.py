"""Texts that are made from those of a task: edited pairs with a label; fragments and neighbours without one.

The latter are not named here: with them a training would import scikit-learn.
"""

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
