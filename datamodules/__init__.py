"""Data: from sentences to interleaved, padding-free batches."""

from datamodules.batch import TaskBatch, TaskDataset, collate
from datamodules.corpus import CorpusSettings
from datamodules.device_store import DeviceDataset
from datamodules.evaluation import cut_store
from datamodules.masked_batch import MaskedLMBatch
from datamodules.masked_lm import MaskedLMDataModule
from datamodules.masking import Masking
from datamodules.multitask import MultitaskDataModule, multitask_data
from datamodules.resumable import ResumableDataModule, resumable_data
from datamodules.sampler import BatchRows, MultitaskSampler
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

__all__ = [
    "Annealed",
    "BatchRows",
    "CorpusSettings",
    "DeviceDataset",
    "Epoch",
    "Joint",
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
    "resumable_data",
]
