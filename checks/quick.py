"""The checks that cost next to nothing, on the tokens that `fit` has read anyway."""

from collections.abc import Mapping

import numpy as np

from checks.contradictions import contradict
from checks.fingerprints import MIX_FIRST, MIX_SECOND, Keys
from datamodules import TokenStore
from runtime.counts import counted


def describe_problems(train: Mapping[str, TokenStore], dev: Mapping[str, TokenStore]) -> str:
    """Return one line about rows that the model sees twice; empty where there are none.

    Texts count as equal where their tokens are, which `check` does not ask for: it finds more.

    Args:
        train: The train splits by task.
        dev: The dev splits by task.
    """
    files = {store.path: key_tokens(store) for store in train.values()}  # tasks over the same rows have one
    keys = {name: files[store.path] for name, store in train.items()}
    firsts = {store.path: name for name, store in reversed(list(dev.items())) if name in keys}
    leaks = {name: int(np.isin(key_tokens(dev[name]), keys[name]).sum()) for name in dev if name in firsts.values()}
    contradictions = {
        name: contradict(keys[name], store.label_numbers, is_score=not store.task.labels.num_classes).rows.size
        for name, store in train.items()
    }
    found = (
        ("dev row", "among the train rows too", leaks),
        ("train row", "with the text of another label", contradictions),
    )
    said = [
        f"{counted(sum(counts.values()), noun)} {what} ({_by_task(counts)})"
        for noun, what, counts in found
        if any(counts.values())
    ]
    return f"data: {', '.join(said)}; train.py check shows them" if said else ""


def key_tokens(store: TokenStore) -> Keys:
    """Return a number for each row, equal where all tokens are, (n,)."""
    keys = [np.empty(0, np.uint64)]
    for tokens, starts in store.chunks():
        places = np.arange(len(tokens)) - np.repeat(starts[:-1], np.diff(starts))
        mixed = (tokens.astype(np.uint64) + np.uint64(1)) * MIX_FIRST + places.astype(np.uint64) * MIX_SECOND
        mixed ^= mixed >> np.uint64(31)
        mixed *= MIX_SECOND
        mixed ^= mixed >> np.uint64(29)
        keys.append(np.add.reduceat(mixed, starts[:-1]))
    return np.concatenate(keys)


def _by_task(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
