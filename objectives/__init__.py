"""What stands between the tasks' losses and the optimiser step: plain torch, one method a file."""

from objectives.divergences import Divergence, divergence_for
from objectives.rdrop import RDrop
from objectives.regularizer import ForwardPass, Regularizer
from objectives.replay import RandomState
from objectives.smart import Smart

__all__ = ["Divergence", "ForwardPass", "RDrop", "RandomState", "Regularizer", "Smart", "divergence_for"]
