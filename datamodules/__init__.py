"""Data: from sentences to interleaved, padding-free batches.

What needs Lightning or the backbones is imported when it is asked for: who uses a trained model needs tokens, not
Lightning, and who reads a run's folder neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from datamodules.batch_rows import BatchRows
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
    from datamodules.batch import Batch, JointBatch, TaskBatch, TaskDataset, collate, passes
    from datamodules.corpus import CorpusSettings
    from datamodules.device_store import DeviceDataset
    from datamodules.evaluation import cut_store
    from datamodules.masked_batch import MaskedLMBatch
    from datamodules.masked_lm import MaskedLMDataModule
    from datamodules.masking import Masking
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

_LATE = {
    "Batch": "batch",
    "CorpusSettings": "corpus",
    "DeviceDataset": "device_store",
    "JointBatch": "batch",
    "MaskedLMBatch": "masked_batch",
    "MaskedLMDataModule": "masked_lm",
    "Masking": "masking",
    "MultitaskDataModule": "multitask",
    "ResumableDataModule": "resumable",
    "TaskBatch": "batch",
    "TaskDataset": "batch",
    "collate": "batch",
    "cut_store": "evaluation",
    "multitask_data": "multitask",
    "passes": "batch",
    "resumable_data": "resumable",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"datamodules.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
