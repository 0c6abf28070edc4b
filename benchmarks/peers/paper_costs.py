"""A loop with the cost model of the paper's code; an implementation of our own, not that code.

What it keeps of it: texts are tokenised by pure Python in every batch of every epoch; each side of a pair is padded to
the longest of the batch before both are joined, so that padding is in the middle; AdamW is a Python loop that
allocates new moments at each step; the loss is read at each step; gradients are not clipped. What it leaves out: the
doubled special tokens between the sides (so that all programs compute the same real tokens), and a sampler that costs
another permutation of the data for every batch.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.allocating_adamw import AllocatingAdamW
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.hugging_face import load_classifier
from benchmarks.rows import Pair, read_pairs


def run(job: Job, meter: Meter) -> None:
    """Train the classifier."""
    model, pairs = load_classifier(job), read_pairs(job.pairs)
    tokenizer = BertTokenizerLegacy(str(job.classifier / "vocab.txt"))
    optimizer = AllocatingAdamW(model.parameters(), lr=job.workload.lr, weight_decay=job.workload.weight_decay)
    counter = WorkCounter(model)
    generator = torch.Generator().manual_seed(job.workload.seed)
    for _ in range(job.rounds + 1):
        meter.begin()
        total = 0.0
        for rows in _shuffled(len(pairs), job.workload.batch_size, generator):
            batch = collate([pairs[row] for row in rows], tokenizer, max_length=job.workload.max_length)
            optimizer.zero_grad()
            loss = model(**batch).loss
            loss.backward()
            optimizer.step()
            total += loss.item()
        meter.end(counter.take())


def collate(pairs: Sequence[Pair], tokenizer: BertTokenizerLegacy, *, max_length: int) -> dict[str, Tensor]:
    """Tokenise a batch and pad each side separately: `[CLS] a [SEP] [PAD]* b [SEP] [PAD]*`."""
    lefts, rights = [], []
    for pair in pairs:
        left, right = (_encode(text, tokenizer) for text in pair[:2])
        while len(left) + len(right) > max_length - 3:
            (left if len(left) > len(right) else right).pop()
        lefts.append([tokenizer.cls_token_id, *left, tokenizer.sep_token_id])
        rights.append([*right, tokenizer.sep_token_id])
    sides = [_pad(lefts, tokenizer.pad_token_id), _pad(rights, tokenizer.pad_token_id)]
    return {
        "input_ids": torch.cat([ids for ids, _ in sides], dim=1),
        "attention_mask": torch.cat([mask for _, mask in sides], dim=1),
        "labels": torch.tensor([[float(pair.label)] for pair in pairs]),
    }


def _encode(text: str, tokenizer: BertTokenizerLegacy) -> list[int]:
    return [int(tokenizer.vocab.get(token, tokenizer.unk_token_id)) for token in tokenizer.tokenize(text)]


def _pad(rows: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    longest = max(map(len, rows))
    ids = [[*row, *[pad_id] * (longest - len(row))] for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


def _shuffled(num_rows: int, batch_size: int, generator: torch.Generator) -> Iterator[list[int]]:
    order: list[int] = torch.randperm(num_rows, generator=generator).tolist()
    for start in range(0, num_rows, batch_size):
        yield order[start : start + batch_size]
