"""Texts that are made from those of a task: edited pairs with a label, fragments and neighbours without one."""

from augmentation.fluency import Fluency
from augmentation.fragments import draw_fragments
from augmentation.generated_pairs import GeneratedPairs
from augmentation.generating import PREFIX, Generated, Generator, TrainingPair
from augmentation.kinds import KIND_NAMES, KINDS, Kind, KindName
from augmentation.neighbours import draw_neighbours

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
    "draw_fragments",
    "draw_neighbours",
]
