"""What happens beside training."""

from callbacks.atomic_io import AtomicCheckpointIO
from callbacks.checkpoints import BestCheckpoint, ResumableCheckpoint
from callbacks.conflicts import ConflictMonitor
from callbacks.export import ExportBackbone
from callbacks.figures import ValidationFigures
from callbacks.final_validation import FinalValidation
from callbacks.guard import LossGuard
from callbacks.losses import TaskLosses
from callbacks.predictions import PredictionWriter
from callbacks.progress import TaskProgressBar
from callbacks.report import RunReport
from callbacks.seeding import StepSeed
from callbacks.stopping import RunStopped, StopOnSignal

__all__ = [
    "AtomicCheckpointIO",
    "BestCheckpoint",
    "ConflictMonitor",
    "ExportBackbone",
    "FinalValidation",
    "LossGuard",
    "PredictionWriter",
    "ResumableCheckpoint",
    "RunReport",
    "RunStopped",
    "StepSeed",
    "StopOnSignal",
    "TaskLosses",
    "TaskProgressBar",
    "ValidationFigures",
]
