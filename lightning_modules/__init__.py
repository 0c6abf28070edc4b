"""Lightning modules: the training and evaluation steps."""

from lightning_modules.masked_lm import MaskedLMModule
from lightning_modules.multitask import MultitaskModule
from lightning_modules.optim import OptimizerSettings

__all__ = ["MaskedLMModule", "MultitaskModule", "OptimizerSettings"]
