"""The text of further pre-training: train texts only, tokenised once, with a held-out part."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from transformers import BertTokenizer

from datamodules.encoding import FORMAT, digest_tokenizer, write_store
from datamodules.store import TokenFile
from tasks import Example, InputError, Task, Texts
from tasks.source import digest, load_hub, locate


@dataclass(frozen=True)
class CorpusSettings:
    """How texts become training sequences.

    Args:
        sequences: `sentences` makes one sequence of each sentence (the paper); `pairs` keeps pairs together as
            `[CLS] a [SEP] b [SEP]` with segment ids.
        duplicates: Whether a text that a corpus holds several times is trained on once (`drop`) or each time (`keep`).
            `drop` remembers a number for each text; for a corpus larger than memory take `keep`.
        min_characters: Shorter texts are left out.
        held_out: Share of the texts kept for validation, by a hash of the text.

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
    tokenizer: BertTokenizer,
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
        InputError: If the source is wrong, or leaves no text for one of the two parts.
    """
    if "hub" not in texts.source and "train" not in texts.source:
        raise InputError(f"{type(texts).__name__}: its source names no train split")
    path = locate(texts.source, "train", root)
    source = {
        "path": str(path or texts.source["hub"]),
        "sha256": digest(path) if path else str(load_hub(texts.source, "train")._fingerprint),
    }
    paired = settings.sequences == "pairs" and len(texts.texts) == 2
    tokenizer_digest = digest_tokenizer(tokenizer)
    parts = {}
    for part in ("train", "held_out"):
        key = {
            "format": FORMAT,
            "part": part,
            "source": [source["sha256"], Path(source["path"]).suffix],  # the ending decides how the bytes are read
            "reading": texts.text_settings(),
            "settings": asdict(settings),
            "tokenizer": tokenizer_digest,
            "max_length": max_length,
        }
        target = cache_dir / f"corpus-{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]}.arrow"
        if not target.is_file():
            notes: list[str] = []
            sequences = _sequences(texts, settings, root, paired=paired, report=notes.append)
            write_store(
                _pick(sequences, settings.held_out, held_out=part == "held_out"),
                target,
                encoding="cross" if paired else "single",
                tokenizer=tokenizer,
                max_length=max_length,
                notes=notes,
            )
        parts[part] = TokenFile(target, source=source)
        if len(parts[part]) == 0:
            raise InputError(f"{source['path']}: leaves no text for the {part} part (corpus.held_out is a share of it)")
    for message in parts["train"].notes:
        report(message if message.startswith(source["path"]) else f"{source['path']}: {message}")
    return Corpus(**parts)


def _sequences(
    texts: Task | Texts, settings: CorpusSettings, root: Path, *, paired: bool, report: Callable[[str], None]
) -> Iterator[tuple[str, ...]]:
    """Give each sequence's text or pair of texts, without short and repeated ones."""
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


def _pick(sequences: Iterator[tuple[str, ...]], share: float, *, held_out: bool) -> Iterator[Example]:
    """Keep the held-out part or the other one; equal texts fall on the same side."""
    for number, sequence in enumerate(sequences):
        if (_hash(sequence) / 2**64 < share) == held_out:
            yield Example(str(number), sequence, None)


def _hash(sequence: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\0".join(sequence).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")
