"""The command lines of train.py and pretrain.py."""

from cli.multitask import MultitaskCLI
from cli.pretraining import PretrainCLI
from cli.running import run

__all__ = ["MultitaskCLI", "PretrainCLI", "run"]
