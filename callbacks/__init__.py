"""What happens beside training."""

from callbacks.atomic_io import AtomicCheckpointIO
from callbacks.averaging import Averaging, Ema, Swa
from callbacks.batch_limits import BatchLimits
from callbacks.checkpoints import BestCheckpoint, BestTaskCheckpoint, ResumableCheckpoint
from callbacks.conflicts import ConflictMonitor
from callbacks.export import ExportBackbone
from callbacks.figures import ValidationFigures
from callbacks.final_validation import FinalValidation
from callbacks.guard import LossGuard
from callbacks.int8 import Int8Prediction
from callbacks.losses import TaskLosses
from callbacks.monitors import check_monitors
from callbacks.plateau import ReduceShareOnPlateau
from callbacks.predictions import PredictionWriter
from callbacks.progress import TaskProgressBar
from callbacks.report import RunReport
from callbacks.seeding import StepSeed
from callbacks.stopping import RunStopped, StopOnSignal

__all__ = [
    "AtomicCheckpointIO",
    "Averaging",
    "BatchLimits",
    "BestCheckpoint",
    "BestTaskCheckpoint",
    "ConflictMonitor",
    "Ema",
    "ExportBackbone",
    "FinalValidation",
    "Int8Prediction",
    "LossGuard",
    "PredictionWriter",
    "ReduceShareOnPlateau",
    "ResumableCheckpoint",
    "RunReport",
    "RunStopped",
    "StepSeed",
    "StopOnSignal",
    "Swa",
    "TaskLosses",
    "TaskProgressBar",
    "ValidationFigures",
    "check_monitors",
]
