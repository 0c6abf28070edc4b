"""A cross task and the bi task over the same pairs that learns from it, compared."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from analysis.json_file import write_json
from analysis.run import Run
from analysis.table import Table
from backbones import load_tokenizer
from backbones.vocabulary import describe_tokenizer
from datamodules import TokenStore
from datamodules.batch import collate
from datamodules.batch_rows import BatchRows
from datamodules.encoding import open_split
from datamodules.evaluation import cut_by_tokens
from lightning_modules import MultitaskModule
from runtime.run_folders import last_checkpoint
from tasks import InputError, Task
from tasks.meaning import compare_meaning

TOKENS_PER_BATCH = 2048
Speeds = dict[str, float]


def find_twins(tasks: Mapping[str, Task]) -> dict[str, str]:
    """Return the cross tasks that teach a bi task over the same pairs: the name of each by that of its student."""
    cross = {name for name, task in tasks.items() if task.encoding == "cross"}
    taught = {name: task.taught_by for name, task in tasks.items() if task.encoding == "bi"}
    return {name: teacher for name, teacher in taught.items() if teacher in cross}


def compare_tasks(run: Run, *, pairs: int) -> dict[str, Any]:
    """Return dev scores and speeds of both tasks by the name of the bi task, and write them to `twins.json`.

    Args:
        run: The run.
        pairs: Largest number of dev pairs to time.

    Raises:
        InputError: If the run has no such tasks or no checkpoint, or the backbone's tokenizer is not that of its
            training any more.
    """
    twins = find_twins(run.tasks)
    last = last_checkpoint(run.folder)
    checkpoints = sorted(last.parent.glob("*.ckpt"), key=lambda path: path != last)
    if not twins or not checkpoints:
        missing = "bi task that a cross task teaches (teacher: {task: NAME})" if not twins else "checkpoint"
        raise InputError(f"{run.folder}: has no {missing}")
    module = MultitaskModule.load_from_checkpoint(checkpoints[0], map_location="cpu").eval()
    module.to("cuda" if torch.cuda.is_available() else "cpu")
    data = run.config["data"]
    tokenizer = load_tokenizer(
        data.get("tokenizer") or run.config["model"]["backbone"],
        special_tokens_as_text=data.get("special_tokens_as_text", False),
    )
    _check_tokenizer(checkpoints[0], tokenizer)
    scores = run.report["metrics"]
    found = {}
    for bi, cross in twins.items():
        stores = {name: _open(module.tasks[name], data, tokenizer) for name in (cross, bi)}
        speed = measure(module, cross, bi, stores, pairs)
        found[bi] = {"teacher": cross, "cross": scores[cross], "bi": scores[bi], "speed": speed}
    write_json(run.folder / "twins.json", found)
    return found


def _check_tokenizer(checkpoint: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Check that the tokens are those that a checkpoint was trained on."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    compare_meaning(saved["MultitaskDataModule"].get("meaning", {}), {"tokenizer": describe_tokenizer(tokenizer)})


def _open(task: Task, data: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast) -> TokenStore:
    """Open the dev split as the run's own configuration says."""
    return open_split(
        task,
        "dev",
        root=Path(data["root"]).expanduser(),
        tokenizer=tokenizer,
        max_length=data["max_length"],
        cache_dir=Path(data["cache_dir"]).expanduser(),
        report=lambda message: None,
    )


@torch.no_grad()
def measure(module: MultitaskModule, cross: str, bi: str, stores: Mapping[str, TokenStore], pairs: int) -> Speeds:
    """Time both tasks on the same pairs, with packing and without reading files.

    Args:
        module: The trained module, in evaluation mode.
        cross: Name of the cross task.
        bi: Name of the bi task.
        stores: The same split of both.
        pairs: Largest number of pairs to time.

    Returns:
        Pairs per second of the cross task, of the bi task from texts and from stored vectors; sentences per second.
    """
    rows = np.arange(min(pairs, len(stores[cross])))
    heads = module.heads

    def embed(name: str) -> list[Tensor]:
        cuts = (rows[cut] for cut in cut_by_tokens(stores[name].lengths[rows], TOKENS_PER_BATCH))
        batches = (collate(stores[name], BatchRows(name, cut)) for cut in cuts)
        return [module.add_shared(module.pool(move_data_to_device(batch, module.device)), name) for batch in batches]

    stored = torch.cat(embed(bi))
    return {
        "cross_pairs_per_second": len(rows) / _time(lambda: [heads[cross](vectors) for vectors in embed(cross)]),
        "bi_pairs_per_second": len(rows) / _time(lambda: [heads[bi](vectors) for vectors in embed(bi)]),
        "bi_pairs_per_second_from_vectors": len(rows) / _time(lambda: heads[bi](stored)),
        "sentences_per_second": 2 * len(rows) / _time(lambda: embed(bi)),
    }


def _time(work: Callable[[], object], *, repeats: int = 3) -> float:
    """Return the shortest time of some runs after a warm-up, seconds."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def build_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return scores and speeds as a table, a line for each task.

    Args:
        found: What `compare_tasks` returns.
    """
    rows: list[tuple[str, ...]] = []
    for name, twin in found.items():
        speed = twin["speed"]
        scores = {
            encoding: ", ".join(f"{key} {value:.4f}" for key, value in twin[encoding].items() if value is not None)
            for encoding in ("cross", "bi")
        }
        rows.append((twin["teacher"], "cross", scores["cross"], f"{speed['cross_pairs_per_second']:.0f}", ""))
        from_vectors = f"{speed['bi_pairs_per_second_from_vectors']:.0f}"
        rows.append((name, "bi", scores["bi"], f"{speed['bi_pairs_per_second']:.0f}", from_vectors))
    columns = ("task", "encoding", "scores", "pairs/s", "pairs/s from stored vectors")
    return Table("both encodings, dev", columns, rows, num_text_columns=3)
