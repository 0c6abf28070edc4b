"""What stands between the tasks' losses and the optimiser step: plain torch, one method a file."""

from objectives.bregman import BregmanProximalPoint
from objectives.confidence_regularization import ConfidenceRegularization
from objectives.debias import Debias, LossInputs
from objectives.dynamic_weight_average import DynamicWeightAverage
from objectives.fixed import Fixed
from objectives.pair_objectives import CosineEmbedding, MultipleNegativesRanking, PairObjective, SimCse
from objectives.pcgrad import PcGrad
from objectives.processes import reduce_over_processes
from objectives.product_of_experts import ProductOfExperts
from objectives.random_weights import RandomWeights
from objectives.rdrop import RDrop
from objectives.regularizer import Divergence, ForwardPass, Regularizer
from objectives.replay import RandomState
from objectives.reweighting import Reweighting
from objectives.smart import Smart
from objectives.step_id import StepId
from objectives.surgery import Surgery
from objectives.task_gradients import TaskGradients
from objectives.uncertainty import Uncertainty
from objectives.upgrad import UpGrad
from objectives.weighting import Weighting, WeightingFactory, weighted_sum

__all__ = [
    "BregmanProximalPoint",
    "ConfidenceRegularization",
    "CosineEmbedding",
    "Debias",
    "Divergence",
    "DynamicWeightAverage",
    "Fixed",
    "ForwardPass",
    "LossInputs",
    "MultipleNegativesRanking",
    "PairObjective",
    "PcGrad",
    "ProductOfExperts",
    "RDrop",
    "RandomState",
    "RandomWeights",
    "Regularizer",
    "Reweighting",
    "SimCse",
    "Smart",
    "StepId",
    "Surgery",
    "TaskGradients",
    "Uncertainty",
    "UpGrad",
    "Weighting",
    "WeightingFactory",
    "reduce_over_processes",
    "weighted_sum",
]
