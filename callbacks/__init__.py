"""What happens beside training."""

from callbacks.atomic_io import AtomicCheckpointIO
from callbacks.averaging import Averaging, Ema, Swa
from callbacks.batch_limits import BatchLimits
from callbacks.checkpoints import BestCheckpoint, BestTaskCheckpoint, ResumableCheckpoint
from callbacks.conflicts import ConflictMonitor
from callbacks.dry_run import DryRun
from callbacks.export import ExportBackbone
from callbacks.figures import ValidationFigures
from callbacks.final_validation import FinalValidation
from callbacks.first_look import FirstLook
from callbacks.guard import LossGuard
from callbacks.int8 import Int8Prediction
from callbacks.losses import TaskLosses
from callbacks.monitors import check_monitors, refuse_other_last
from callbacks.plateau import ReduceShareOnPlateau
from callbacks.precision import KeepPrecision
from callbacks.predictions import PredictionWriter
from callbacks.progress import TaskProgressBar
from callbacks.progress_lines import ProgressLines, prints_lines
from callbacks.report import RunReport
from callbacks.seeding import StepSeed
from callbacks.split_files import SplitFiles
from callbacks.stopping import RunStopped, StopOnSignal
from callbacks.stopwatch import Stopwatch, TimedBatch
from callbacks.whole_steps import WholeSteps

__all__ = [
    "AtomicCheckpointIO",
    "Averaging",
    "BatchLimits",
    "BestCheckpoint",
    "BestTaskCheckpoint",
    "ConflictMonitor",
    "DryRun",
    "Ema",
    "ExportBackbone",
    "FinalValidation",
    "FirstLook",
    "Int8Prediction",
    "KeepPrecision",
    "LossGuard",
    "PredictionWriter",
    "ProgressLines",
    "ReduceShareOnPlateau",
    "ResumableCheckpoint",
    "RunReport",
    "RunStopped",
    "SplitFiles",
    "StepSeed",
    "StopOnSignal",
    "Stopwatch",
    "Swa",
    "TaskLosses",
    "TaskProgressBar",
    "TimedBatch",
    "ValidationFigures",
    "WholeSteps",
    "check_monitors",
    "prints_lines",
    "refuse_other_last",
]
