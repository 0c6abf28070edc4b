"""From texts to token ids: tokenised once, kept in an Arrow file that is keyed by its content."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from tokenizers import Encoding as Encoded
from transformers import PreTrainedTokenizerFast

from datamodules.cache import open_cached, partial_folder
from datamodules.cache_key import cache_key
from datamodules.encoding_notes import EncodingNotes
from datamodules.notes import Notes
from datamodules.pairs import PairTemplate
from datamodules.store import SCHEMA, SET_SCHEMA, WORDS_SCHEMA, TokenStore
from runtime.whole_files import publish
from tasks import Encoding, Example, InputError, Split, Task

ROWS_A_CHUNK = 4096
SPACE_MARKS = ("▁", "Ġ")  # before a piece of SentencePiece and of byte-level BPE


@dataclass(frozen=True)
class EncodedTexts:
    """The tokens of one example.

    Args:
        input_ids: Token ids of its S sequences, one after the other.
        first_length: Tokens of the first part: what stands before the second text of a cross-encoded pair, the first
            sequence of a bi-encoded one, all tokens of a single sentence.
        cut: Whether tokens were cut to fit the longest length.
        continues: 1 for each token that goes on with the word of the one before it, else 0.
    """

    input_ids: list[int]
    first_length: int
    cut: bool
    continues: list[int]


def encode(
    texts: Sequence[tuple[str, ...]],
    *,
    encoding: Encoding,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    words: bool = False,
) -> list[EncodedTexts]:
    """Tokenise examples.

    Args:
        texts: One or two sentences an example.
        encoding: `single` and `bi` give `[CLS] a [SEP]` for each sentence, `cross` and `both` give `[CLS] a [SEP] b
            [SEP]`; a pair that is too long loses tokens of its longer sentence first.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most, special tokens included.
        words: Whether to tell which tokens go on with a word.
    """
    columns = list(zip(*texts, strict=True))
    options: dict[str, Any] = {"truncation": True, "max_length": max_length, "return_attention_mask": False}
    if encoding in ("cross", "both"):
        template = PairTemplate.of(tokenizer)
        pairs = tokenizer(list(columns[0]), list(columns[1]), **options).encodings
        return [
            EncodedTexts(
                pair.ids,
                template.end_of_first(pair.sequence_ids),
                bool(pair.overflowing),
                find_continuations(pair) if words else [],
            )
            for pair in pairs
        ]
    sides = [tokenizer(list(column), **options).encodings for column in columns]
    return [
        EncodedTexts(
            [token for sequence in sequences for token in sequence.ids],
            len(sequences[0].ids),
            any(sequence.overflowing for sequence in sequences),
            [part for sequence in sequences for part in find_continuations(sequence)] if words else [],
        )
        for sequences in zip(*sides, strict=True)
    ]


def find_continuations(encoded: Encoded) -> list[int]:
    """Return 1 for each token that goes on with the word of the one before it, else 0, as the tokenizer cuts words.

    Some tokenizers of the SentencePiece kind take a whole text for one word: there a piece that begins with a mark of
    space begins a word too.
    """
    places = list(zip(encoded.sequence_ids, encoded.word_ids, strict=True))
    return [
        int(number > 0 and place[1] is not None and place == places[number - 1] and not token.startswith(SPACE_MARKS))
        for number, (place, token) in enumerate(zip(places, encoded.tokens, strict=True))
    ]


def open_split(
    task: Task,
    split: Split,
    *,
    root: Path,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    cache_dir: Path,
    report: Callable[[str], None],
) -> TokenStore:
    """Read, check and tokenise a split, or open what an earlier call left in the cache.

    Args:
        task: The task.
        split: Which split.
        root: Folder that the task's relative paths start from.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most.
        cache_dir: Folder of the cache.
        report: Called with a sentence for each skipped row and for the number of cut rows, also on a cached split.

    Raises:
        InputError: If the source is wrong, nothing is kept then, or the cache cannot be written.
    """
    source = task.source.describe(split, root)
    reading = {**task.reading_settings(), **task.generation_settings(split)}
    key = cache_key(source, tokenizer, max_length, split=split, reading=reading)
    target = cache_dir / f"{key}.arrow"

    def write(target: Path) -> None:
        notes, lines = Notes(source["path"]), list[str]()
        examples = notes.collect(_check_ids(task.read_trained(split, root, notes.add), source["path"]), lines)
        write_store(
            examples,
            target,
            encoding=task.encoding,
            tokenizer=tokenizer,
            max_length=max_length,
            notes=lines,
            is_set=task.labels.is_set,
        )

    template = PairTemplate.of(tokenizer)
    store = open_cached(
        target, write=write, read=lambda path: TokenStore(path, task=task, source=source, template=template)
    )
    for line in store.notes:
        report(source["path"] + line)
    return store


def _check_ids(examples: Iterable[Example], path: str) -> Iterator[Example]:
    seen: set[int] = set()
    for number, example in enumerate(examples):
        mark = hash(example.id)
        if mark in seen:
            raise InputError(f"{path}: the id {example.id!r} of row {number + 1} stands twice (expected unique ids)")
        seen.add(mark)
        yield example


def write_store(
    examples: Iterable[Example],
    target: Path,
    *,
    encoding: Encoding,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    notes: list[str],
    words: bool = False,
    is_set: bool = False,
) -> None:
    """Tokenise examples into an Arrow file, in memory bounded by one chunk; the file appears only when whole.

    Args:
        examples: The examples in file order.
        target: The file to write.
        encoding: As for `encode`.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most.
        notes: What to tell about the source, each to stand behind its path; read after the last example.
        words: Whether to keep which tokens go on with a word.
        is_set: Whether the labels are sets.
    """
    schema = SET_SCHEMA if is_set else WORDS_SCHEMA if words else SCHEMA
    counted = EncodingNotes(tokenizer, max_length)
    with partial_folder(target.parent) as folder:  # its own for each concurrent writer
        partial = folder / target.name
        with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for chunk in _chunks(examples):
                encoded = encode(
                    [example.texts for example in chunk],
                    encoding=encoding,
                    tokenizer=tokenizer,
                    max_length=max_length,
                    words=words,
                )
                for example, row in zip(chunk, encoded, strict=True):
                    counted.count(example.texts, row.input_ids, cut=row.cut)
                writer.write_batch(_record_batch(chunk, encoded, schema))
        notes += counted.lines()
        partial.with_suffix(".json").write_text(json.dumps({"notes": notes}), encoding="utf-8")
        publish(partial.with_suffix(".json"), target.with_suffix(".json"))
        publish(partial, target)


def _chunks(examples: Iterable[Example]) -> Iterator[tuple[Example, ...]]:
    remaining = iter(examples)
    while chunk := tuple(islice(remaining, ROWS_A_CHUNK)):
        yield chunk


def _record_batch(examples: Sequence[Example], encoded: Sequence[EncodedTexts], schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        [example.id for example in examples],
        [example.label for example in examples],
        [row.input_ids for row in encoded],
        [row.first_length for row in encoded],
        [row.continues for row in encoded],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=False)]
    return pa.record_batch(arrays, schema=schema)
