"""The text of further pre-training: train texts only, tokenised once, with a held-out part."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from transformers import PreTrainedTokenizerFast

from datamodules.cache import open_cached
from datamodules.cache_key import cache_key
from datamodules.encoding import write_store
from datamodules.notes import Notes
from datamodules.pairs import PairTemplate
from datamodules.store import WORDS_SCHEMA, TokenFile
from runtime.counts import counted
from tasks import Example, InputError, Task, Texts


@dataclass(frozen=True)
class CorpusSettings:
    """How texts become training sequences.

    Args:
        sequences: `sentences` makes one sequence of each sentence (the paper); `pairs` keeps pairs together as
            `[CLS] a [SEP] b [SEP]` with segment ids.
        duplicates: Whether a text that a corpus holds several times is trained on once (`drop`) or each time (`keep`).
            `drop` remembers a number for each text; for a corpus larger than memory take `keep`.
        min_characters: Shorter texts are left out.
        held_out: Share of the texts kept for validation, by a hash of the text without its case. Of pairs, those that
            share a side with a held-out one are neither trained on nor held out.

    Raises:
        ValueError: If `held_out` is out of range.
    """

    sequences: Literal["sentences", "pairs"] = "sentences"
    duplicates: Literal["drop", "keep"] = "drop"
    min_characters: int = 1
    held_out: float = 0.02

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ValueError(f"corpus.held_out is {self.held_out} (expected more than 0 and less than 1)")


@dataclass(frozen=True)
class Corpus:
    """The tokenised texts of one source.

    Args:
        train: Texts to train on.
        held_out: Texts to validate on; no text is in both.
    """

    train: TokenFile
    held_out: TokenFile


def open_corpus(
    texts: Task | Texts,
    settings: CorpusSettings,
    *,
    root: Path,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    cache_dir: Path,
    report: Callable[[str], None],
) -> Corpus:
    """Read and tokenise the train texts of a source, or open what an earlier call left in the cache.

    Args:
        texts: A task, of which only the texts of its train split are read, or a source without labels.
        settings: How texts become sequences.
        root: Folder that relative paths start from.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most.
        cache_dir: Folder of the cache.
        report: Called with a sentence for each row that is left out.

    Raises:
        InputError: If the source is wrong or leaves no text for one of the two parts, or the cache cannot be written.
    """
    if "train" not in texts.source.splits:
        raise InputError(f"{type(texts).__name__}: its source names no train split")
    source = texts.source.describe("train", root)
    paired = settings.sequences == "pairs" and len(texts.texts) == 2
    own = {"reading": texts.text_settings(), "settings": asdict(settings), "words": True}
    template = PairTemplate.of(tokenizer)
    parts = {}
    for part in ("train", "held_out"):
        target = cache_dir / f"corpus-{cache_key(source, tokenizer, max_length, part=part, **own)}.arrow"

        def write(target: Path, held_out: bool = part == "held_out") -> None:
            notes, lines = Notes(source["path"]), list[str]()
            examples = _examples(texts, settings, root, paired=paired, held_out=held_out, report=notes.add)
            write_store(
                notes.collect(examples, lines),
                target,
                encoding="cross" if paired else "single",
                tokenizer=tokenizer,
                max_length=max_length,
                notes=lines,
                schema=WORDS_SCHEMA,
            )

        parts[part] = open_cached(target, write=write, read=partial(TokenFile, source=source, template=template))
        if len(parts[part]) == 0:
            raise InputError(f"{source['path']}: leaves no text for the {part} part (corpus.held_out is a share of it)")
    for line in parts["train"].notes:
        report(source["path"] + line)
    return Corpus(**parts)


def _sequences(
    texts: Task | Texts, settings: CorpusSettings, root: Path, *, paired: bool, report: Callable[[str], None]
) -> Iterator[tuple[str, ...]]:
    """Return each sequence's text or pair of texts, without short and repeated ones."""
    seen: set[int] = set()
    for row in texts.read_texts("train", root, report, keep_halves=not paired):
        for sequence in [row] if paired else [(text,) for text in row]:
            if min(map(len, sequence)) < settings.min_characters:
                continue
            if settings.duplicates == "drop":
                mark = _hash(sequence)
                if mark in seen:
                    continue
                seen.add(mark)
            yield sequence


def _examples(
    texts: Task | Texts,
    settings: CorpusSettings,
    root: Path,
    *,
    paired: bool,
    held_out: bool,
    report: Callable[[str], None],
) -> Iterator[Example]:
    """Return the held-out part or the other one, which lacks every pair that has a side in common with the first.

    Equal texts fall on the same side, as do those that differ in case or spaces alone.
    """
    others: set[int] = set()
    if paired and not held_out:
        rows = _sequences(texts, settings, root, paired=True, report=lambda note: None)
        others = {mark for pair in rows if _is_held_out(pair, settings) for mark in _side_hashes(pair)}
    left_out = 0
    for number, sequence in enumerate(_sequences(texts, settings, root, paired=paired, report=report)):
        if _is_held_out(sequence, settings) != held_out:
            continue
        if others.isdisjoint(_side_hashes(sequence)):
            yield Example(str(number), sequence, None)
        else:
            left_out += 1
    if left_out:
        report(f"{counted(left_out, 'pair')} left out, with a text that a held-out pair has too")


def _is_held_out(sequence: tuple[str, ...], settings: CorpusSettings) -> bool:
    return _hash(tuple(map(_normalise, sequence))) / 2**64 < settings.held_out


def _side_hashes(sequence: tuple[str, ...]) -> list[int]:
    return [_hash((_normalise(text),)) for text in sequence]


def _normalise(text: str) -> str:
    return " ".join(text.casefold().split())


def _hash(sequence: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\0".join(sequence).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")
