"""Preset: similarity of sentences."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tasks.handin import HandIn
from tasks.regression import PairRegression
from tasks.source import Source

FILES = Source(train="sts-train.csv", dev="sts-dev.csv", test="sts-test-student.csv")


@dataclass(frozen=True, kw_only=True)
class Sts(PairRegression):
    """Semantic textual similarity benchmark, from CS224N's files: 0 unrelated to 5 equivalent.

    Source: Cer et al. 2017, https://arxiv.org/abs/1708.00055
    """

    handin: ClassVar[HandIn | None] = HandIn("sts", "Predicted_Similiary")  # as the starter code spells it

    source: Source = FILES
    texts: tuple[str, ...] = ("sentence1", "sentence2")
    label: str = "similarity"
    id: str | None = "id"
    delimiter: str | None = "\t"
    broken_rows: Literal["error", "skip"] = "skip"
    low: float = 0.0
    high: float = 5.0
    prediction_header: str = "Predicted_Similarity"
