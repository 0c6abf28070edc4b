"""Task heads: from pooled vectors to output, loss and prediction."""

from heads.cosine import CosineHead
from heads.head import Head, HeadFactory
from heads.labels import LabelSpace
from heads.linear import LinearHead
from heads.losses import AbsoluteError, ContinuationRatio, Correlation, Loss, OneVsAll, OrdinalLogLoss
from heads.mlp import MlpHead
from heads.outputs import BinaryOutput, ClassOutput, OutputKind, ScoreOutput
from heads.pair_objectives import CosineEmbedding, MultipleNegativesRanking, PairObjective, SimCse
from heads.product import ConcatProductHead, ProductHead
from heads.trunk import Trunk, TrunkSettings
from heads.trunk_heads import TrunkCosineHead, TrunkLinearHead, TrunkProductHead, check_trunk
from heads.twin import TwinHead

__all__ = [
    "AbsoluteError",
    "BinaryOutput",
    "ClassOutput",
    "ConcatProductHead",
    "ContinuationRatio",
    "Correlation",
    "CosineEmbedding",
    "CosineHead",
    "Head",
    "HeadFactory",
    "LabelSpace",
    "LinearHead",
    "Loss",
    "MlpHead",
    "MultipleNegativesRanking",
    "OneVsAll",
    "OrdinalLogLoss",
    "OutputKind",
    "PairObjective",
    "ProductHead",
    "ScoreOutput",
    "SimCse",
    "Trunk",
    "TrunkCosineHead",
    "TrunkLinearHead",
    "TrunkProductHead",
    "TrunkSettings",
    "TwinHead",
    "check_trunk",
]
