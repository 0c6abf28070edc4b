"""Task heads: from pooled vectors to output, loss and prediction."""

from heads.cosine import CosineHead
from heads.head import Head, HeadFactory
from heads.label_sets import LabelSetOutput, LabelSets
from heads.labels import Classes, Label, LabelSpace, Scores, YesNo
from heads.linear import LinearHead
from heads.losses import (
    AbsoluteError,
    ContinuationRatio,
    Correlation,
    CrossEntropy,
    FocalLoss,
    Loss,
    OneVsAll,
    OrdinalLogLoss,
    output_for,
)
from heads.mlp import MlpHead
from heads.outputs import BinaryOutput, ClassOutput, OutputKind, ScoreOutput
from heads.product import ConcatProductHead, ProductHead
from heads.trunk import Trunk, TrunkSettings
from heads.trunk_heads import TrunkCosineHead, TrunkLinearHead, TrunkProductHead, check_trunk

__all__ = [
    "AbsoluteError",
    "BinaryOutput",
    "ClassOutput",
    "Classes",
    "ConcatProductHead",
    "ContinuationRatio",
    "Correlation",
    "CosineHead",
    "CrossEntropy",
    "FocalLoss",
    "Head",
    "HeadFactory",
    "Label",
    "LabelSetOutput",
    "LabelSets",
    "LabelSpace",
    "LinearHead",
    "Loss",
    "MlpHead",
    "OneVsAll",
    "OrdinalLogLoss",
    "OutputKind",
    "ProductHead",
    "ScoreOutput",
    "Scores",
    "Trunk",
    "TrunkCosineHead",
    "TrunkLinearHead",
    "TrunkProductHead",
    "TrunkSettings",
    "YesNo",
    "check_trunk",
    "output_for",
]
