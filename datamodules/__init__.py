"""Data: from sentences to interleaved, padding-free batches.

The data modules themselves are imported when they are asked for: who uses a trained model needs tokens, not Lightning.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from datamodules.batch import Batch, JointBatch, TaskBatch, TaskDataset, collate, passes
from datamodules.batch_rows import BatchRows
from datamodules.corpus import CorpusSettings
from datamodules.device_store import DeviceDataset
from datamodules.evaluation import cut_store
from datamodules.masked_batch import MaskedLMBatch
from datamodules.masking import Masking
from datamodules.sampler import MultitaskSampler
from datamodules.schedules import (
    Annealed,
    Epoch,
    Joint,
    RoundRobin,
    RoundRobinShuffled,
    Schedule,
    Sequential,
    Shuffled,
    Staged,
    Temperature,
)
from datamodules.sentences import SentenceInput
from datamodules.store import TokenFile, TokenStore

if TYPE_CHECKING:
    from datamodules.masked_lm import MaskedLMDataModule
    from datamodules.multitask import MultitaskDataModule, multitask_data
    from datamodules.resumable import ResumableDataModule, resumable_data

__all__ = [
    "Annealed",
    "Batch",
    "BatchRows",
    "CorpusSettings",
    "DeviceDataset",
    "Epoch",
    "Joint",
    "JointBatch",
    "MaskedLMBatch",
    "MaskedLMDataModule",
    "Masking",
    "MultitaskDataModule",
    "MultitaskSampler",
    "ResumableDataModule",
    "RoundRobin",
    "RoundRobinShuffled",
    "Schedule",
    "SentenceInput",
    "Sequential",
    "Shuffled",
    "Staged",
    "TaskBatch",
    "TaskDataset",
    "Temperature",
    "TokenFile",
    "TokenStore",
    "collate",
    "cut_store",
    "multitask_data",
    "passes",
    "resumable_data",
]

_WITH_LIGHTNING = {
    "MaskedLMDataModule": "datamodules.masked_lm",
    "MultitaskDataModule": "datamodules.multitask",
    "ResumableDataModule": "datamodules.resumable",
    "multitask_data": "datamodules.multitask",
    "resumable_data": "datamodules.resumable",
}


def __getattr__(name: str) -> Any:
    if name in _WITH_LIGHTNING:
        return getattr(import_module(_WITH_LIGHTNING[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
