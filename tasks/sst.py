"""Preset: five-level sentiment."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tasks.classification import Classification
from tasks.handin import HandIn
from tasks.source import Source

FILES = Source(train="ids-sst-train.csv", dev="ids-sst-dev.csv", test="ids-sst-test-student.csv")


@dataclass(frozen=True, kw_only=True)
class Sst(Classification):
    """Stanford Sentiment Treebank with five classes, from CS224N's files: 0 very negative to 4 very positive.

    Source: Socher et al. 2013, https://aclanthology.org/D13-1170
    """

    handin: ClassVar[HandIn | None] = HandIn("sst", "Predicted_Sentiment")

    source: Source = FILES
    texts: tuple[str, ...] = ("sentence",)
    label: str = "sentiment"
    id: str | None = "id"
    delimiter: str | None = "\t"
    broken_rows: Literal["error", "skip"] = "skip"
    num_classes: int | None = 5
    prediction_header: str = "Predicted_Sentiment"
