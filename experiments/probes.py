"""Examples drawn from a task's split, whose losses and gradients are computed batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from backbones import PackedTokens
from inference.rows import EncodedRows, encode_rows
from tasks import Example, InputError, Task


@dataclass(frozen=True)
class Probe:
    """Examples of one split of a task, cut into batches that share none.

    Args:
        task: Name of the task.
        rows: The tokens of all batches' examples.
        labels: Their labels.
        size: Examples of a batch.
    """

    task: str
    rows: EncodedRows
    labels: Tensor
    size: int

    def batch(self, number: int) -> tuple[PackedTokens, Tensor]:
        """Return a batch's tokens and labels."""
        chosen = np.arange(number * self.size, (number + 1) * self.size)
        return self.rows.join(chosen), self.labels[chosen]


def build_probe(
    name: str,
    task: Task,
    split: str,
    examples: Sequence[Example],
    *,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    batches: int,
    batch_size: int,
    seed: int,
) -> Probe:
    """Draw the batches of a split.

    Args:
        name: Name of the task.
        task: The task.
        split: Which split; draws are its own.
        examples: Its examples; those without a label are left out.
        tokenizer: The backbone's.
        max_length: Tokens a sequence at most.
        batches: Number of batches.
        batch_size: Examples of a batch; fewer where the split has fewer.
        seed: Seed of the draw.

    Raises:
        InputError: If there are fewer labelled examples than batches.
    """
    labelled = [example for example in examples if example.label is not None]
    size = min(batch_size, len(labelled) // batches)
    if size == 0:
        raise InputError(
            f"task {name}: has {len(labelled)} labelled {split} examples (expected one a batch at least, --batches "
            f"{batches})"
        )
    rng = np.random.default_rng([seed, crc32(name.encode()), crc32(split.encode())])
    drawn = [labelled[row] for row in rng.permutation(len(labelled))[: size * batches]]
    texts = [example.texts for example in drawn]
    rows = encode_rows(texts, task.encoding, tokenizer=tokenizer, max_length=max_length)
    return Probe(name, rows, task.labels.as_tensor(task.labels.stack([example.label for example in drawn])), size)
