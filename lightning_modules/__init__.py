"""Lightning modules: the training and evaluation steps."""

from lightning_modules.masked_lm import MaskedLMModule
from lightning_modules.multitask import MultitaskModule
from lightning_modules.optim import OptimizerSettings
from lightning_modules.task_scores import Direction

__all__ = ["Direction", "MaskedLMModule", "MultitaskModule", "OptimizerSettings"]
