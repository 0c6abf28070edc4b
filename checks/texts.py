"""What a tokenizer or a reader stumbles over: unknown words, markup, broken characters, other scripts, empty texts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from checks.finding import FILE, Finding, Instance, Level
from checks.split_rows import SplitRows

MANY = 0.01  # share of rows
SAID: dict[str, tuple[str, str]] = {
    "html": ("hold HTML: tags or entities", "turn it into text before training"),
    "mojibake": ("hold characters that a wrong encoding leaves", "read the file in its own encoding (source.encoding)"),
    "escapes": (
        'hold escapes of another format ("" -LRB- \\/ ``)',
        "undo them if later texts come without; see that train and dev are alike",
    ),
    "control characters": ("hold control characters", "take them out; the tokenizer drops them"),
    "special tokens": (
        "hold special tokens, which the model reads as such",
        "--data.special_tokens_as_text true reads them as text",
    ),
}


def find_skipped_rows(rows: SplitRows) -> Iterator[Finding]:
    """Find rows that the task leaves out because a text or label is empty."""
    broken = [note.rpartition(": ")[::2] for note in rows.skipped if ": skipped, " in note or ": kept, " in note]
    if broken:
        kept = rows.split == "test"
        yield Finding(
            check="broken-rows",
            level="warning",
            task=rows.name,
            split=rows.split,
            count=len(broken),
            total=len(rows) + (0 if kept else len(broken)),
            what="lack a text and are predicted all the same" if kept else "are left out: a text or the label is empty",
            advice="mend them: often a line break inside a cell without quotes",
            examples=[Instance(where, (), said) for where, said in broken[:3]],
        )
    for note in rows.skipped:
        if ": skipped, " not in note and ": kept, " not in note:
            yield Finding(
                check=FILE,
                level="note",
                task=rows.name,
                split=rows.split,
                count=0,
                total=0,
                what=note,
                advice="see that it is meant so",
            )


def find_oddities(rows: SplitRows, train: SplitRows) -> Iterator[Finding]:
    """Find rows with signs of markup, of a wrong encoding, of escapes, or with special tokens.

    Args:
        rows: The split.
        train: The train split of the task, with which it is compared.
    """
    for kind, count in rows.oddities.counts.items():
        what, advice = SAID[kind]
        level: Level = "warning" if kind == "special tokens" or count >= MANY * len(rows) else "note"
        yield Finding(
            check=kind.replace(" ", "-"),
            level=level,
            task=rows.name,
            split=rows.split,
            count=count,
            total=len(rows),
            what=what if rows is train else f"{what} (of train {train.oddities.counts[kind]:,} of {len(train):,})",
            advice=advice,
            examples=rows.show(rows.oddities.first[kind]),
        )


def find_other_scripts(rows: SplitRows, main: str) -> Iterator[Finding]:
    """Find rows that are written in another script than most rows of train."""
    for script, count in rows.oddities.scripts.most_common():
        if script not in ("", main):
            yield Finding(
                check="other-script",
                level="warning" if count >= MANY * len(rows) else "note",
                task=rows.name,
                split=rows.split,
                count=count,
                total=len(rows),
                what=f"are written in {script.capitalize()} letters, most rows of train in {main.capitalize()} ones",
                advice="see that the backbone knows the language, or leave them out",
                examples=rows.show(rows.oddities.rows_of_script(script)),
            )


def count_unknown(rows: SplitRows, unknown: int | None) -> NDArray[np.int64]:
    """Count the unknown tokens of each row, (n,)."""
    if unknown is None:
        return np.zeros(len(rows), np.int64)
    found = [np.add.reduceat(tokens == unknown, starts[:-1], dtype=np.int64) for tokens, starts in rows.store.chunks()]
    return np.concatenate(found)


def find_unknown_tokens(
    rows: SplitRows, tokenizer: PreTrainedTokenizerFast, unknown: NDArray[np.int64]
) -> Iterator[Finding]:
    """Find rows with words that the tokenizer does not know, and rows of which nothing is left.

    Args:
        rows: The split.
        tokenizer: Its tokenizer.
        unknown: Unknown tokens of each row, (n,).
    """
    content = rows.store.lengths - special_tokens(rows, tokenizer)
    some = np.flatnonzero(unknown > 0)
    if some.size:
        share = unknown.sum() / max(1, content.sum())
        yield rows.tell(
            some[np.argsort(-unknown[some], kind="stable")],
            check="unknown-tokens",
            level="warning" if share >= MANY else "note",
            what=f"hold words that the tokenizer does not know ({share:.2%} of all tokens)",
            advice="see what they are: emoji and rare signs are harmless, a whole language is not",
        )
    nothing = np.flatnonzero(content <= unknown)
    if nothing.size:
        yield rows.tell(
            nothing,
            check="empty",
            level="warning",
            what="have no token that the model knows",
            advice="leave them out: the model sees the same in all of them",
        )


def special_tokens(rows: SplitRows, tokenizer: PreTrainedTokenizerFast) -> int:
    """Return how many special tokens the tokenizer adds to an example."""
    single = tokenizer.num_special_tokens_to_add(pair=False)
    if rows.task.encoding == "bi":
        return 2 * single
    return single if rows.task.encoding == "single" else tokenizer.num_special_tokens_to_add(pair=True)
