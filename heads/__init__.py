"""Task heads: from pooled vectors to output, loss and prediction."""

from heads.cosine import CosineHead
from heads.head import Head, HeadFactory
from heads.labels import LabelSpace
from heads.linear import LinearHead
from heads.outputs import BinaryOutput, ClassOutput, Output, ScoreOutput
from heads.product import ConcatProductHead, ProductHead

__all__ = [
    "BinaryOutput",
    "ClassOutput",
    "ConcatProductHead",
    "CosineHead",
    "Head",
    "HeadFactory",
    "LabelSpace",
    "LinearHead",
    "Output",
    "ProductHead",
    "ScoreOutput",
]
