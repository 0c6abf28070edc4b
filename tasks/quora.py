"""Preset: paraphrase of questions."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tasks.classification import PairClassification
from tasks.handin import HandIn
from tasks.source import Source

FILES = Source(train="quora-train.csv", dev="quora-dev.csv", test="quora-test-student.csv")


@dataclass(frozen=True, kw_only=True)
class Quora(PairClassification):
    """Quora question pairs, from CS224N's files: 1 where both ask the same.

    Source: https://quoradata.quora.com/First-Quora-Dataset-Release-Question-Pairs
    """

    handin: ClassVar[HandIn | None] = HandIn("para", "Predicted_Is_Paraphrase", decimal_classes=True)

    source: Source = FILES
    texts: tuple[str, ...] = ("sentence1", "sentence2")
    label: str = "is_duplicate"
    id: str | None = "id"
    delimiter: str | None = "\t"
    broken_rows: Literal["error", "skip"] = "skip"
    num_classes: int | None = 2
    prediction_header: str = "Predicted_Is_Paraphrase"
