"""The two heads of pairs that were encoded both ways, compared: `python -m analysis.twins RUN`."""

import sys
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
from backbones import load_tokenizer, pack
from backbones.vocabulary import describe_tokenizer
from datamodules import TokenStore
from datamodules.encoding import open_split
from datamodules.evaluation import cut_by_tokens
from datamodules.pairs import lay_out, split_pair
from heads import TwinHead
from lightning_modules import MultitaskModule
from runtime.arguments import Arguments
from runtime.command import command
from runtime.run_folders import last_checkpoint
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from tasks import InputError, Task
from tasks.meaning import compare_meaning

TOKENS_PER_BATCH = 2048
Speeds = dict[str, float]


@command
def main(arguments: list[str] | None = None) -> None:
    """Measure each twin of a run on its dev split, show a table and write `twins.json` next to `report.json`."""
    parser = Arguments("analysis.twins", __doc__)
    parser.add_argument("run", type=Path, help="run folder with a task of encoding: both")
    parser.add_argument("--pairs", type=int, default=500, help="time at most this many dev pairs (default %(default)s)")
    options = parser.parse_args(arguments)
    plain_console().print(build_table(compare_heads(Run(options.run), pairs=options.pairs)).to_rich())


def compare_heads(run: Run, *, pairs: int) -> dict[str, Any]:
    """Return each twin's dev scores and speeds, and write them to `twins.json`.

    Args:
        run: The run.
        pairs: Largest number of dev pairs to time.

    Raises:
        InputError: If no task of the run is encoded both ways, the run has no checkpoint, or the backbone's tokenizer
            is not that of its training any more.
    """
    names = [name for name, task in run.tasks.items() if task.encoding == "both"]
    last = last_checkpoint(run.folder)
    checkpoints = sorted(last.parent.glob("*.ckpt"), key=lambda path: path != last)
    if not names or not checkpoints:
        missing = "task of encoding: both" if not names else "checkpoint"
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
    for name in names:
        speed = measure(module, name, _open(module.tasks[name], data, tokenizer), pairs)
        found[name] = {"cross": scores[name], "bi": scores[f"{name}_bi"], "speed": speed}
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
def measure(module: MultitaskModule, name: str, store: TokenStore, pairs: int) -> Speeds:
    """Time both heads on the same pairs, with packing and without reading files.

    Args:
        module: The trained module, in evaluation mode.
        name: Name of a task with a TwinHead.
        store: A split of the task.
        pairs: Largest number of pairs to time.

    Returns:
        Pairs per second by the cross head, by the bi head from texts and from stored vectors; sentences per second.
    """
    head = module.heads[name]
    assert isinstance(head, TwinHead)
    rows = np.arange(min(pairs, len(store)))
    batches = [rows[cut] for cut in cut_by_tokens(store.lengths[rows], TOKENS_PER_BATCH)]

    def embed(encoding: Any) -> list[Tensor]:
        packed = (_pack(store, cut, encoding, module.device) for cut in batches)
        return [module.add_shared(module.backbone(tokens, name), name) for tokens in packed]

    def score_cross() -> list[Tensor]:
        return [head.cross(vectors[:, None]) for vectors in embed("cross")]

    def score_bi() -> list[Tensor]:
        return [head.bi(vectors.view(-1, 2, vectors.shape[-1])) for vectors in embed("bi")]

    stored = torch.cat(embed("bi")).view(len(rows), 2, -1)
    embedding = _time(lambda: embed("bi"))
    return {
        "cross_pairs_per_second": len(rows) / _time(score_cross),
        "bi_pairs_per_second": len(rows) / _time(score_bi),
        "bi_pairs_per_second_from_vectors": len(rows) / _time(lambda: head.bi(stored)),
        "sentences_per_second": 2 * len(rows) / embedding,
    }


def _pack(store: TokenStore, rows: np.ndarray, encoding: Any, device: torch.device) -> Any:
    """Pack pairs as one encoding alone would have them; the store keeps `[CLS] a [SEP] b [SEP]`."""
    tokens, firsts = [store.tokens(int(row)) for row in rows], store.first_lengths[rows]
    if encoding == "bi":
        sides = [split_pair(pair, first, store.template)[1:] for pair, first in zip(tokens, firsts, strict=True)]
        tokens, firsts = [np.concatenate(pair) for pair in sides], np.array([first.size for first, _ in sides])
    return move_data_to_device(pack(*lay_out(tokens, firsts, encoding, store.template)), device)


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
    """Return scores and speeds as a table, a line for each head.

    Args:
        found: What `compare_heads` returns.
    """
    rows: list[tuple[str, ...]] = []
    for name, twin in found.items():
        speed = twin["speed"]
        scores = {
            head: ", ".join(f"{key} {value:.4f}" for key, value in twin[head].items() if value is not None)
            for head in ("cross", "bi")
        }
        rows.append((name, "cross", scores["cross"], f"{speed['cross_pairs_per_second']:.0f}", ""))
        from_vectors = f"{speed['bi_pairs_per_second_from_vectors']:.0f}"
        rows.append((name, "bi", scores["bi"], f"{speed['bi_pairs_per_second']:.0f}", from_vectors))
    columns = ("task", "head", "scores", "pairs/s", "pairs/s from stored vectors")
    return Table("both encodings, dev", columns, rows, num_text_columns=3)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
