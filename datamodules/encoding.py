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
from datamodules.store import SCHEMA, SET_SCHEMA, WORDS_SCHEMA, TokenStore, joint_schema
from runtime.whole_files import publish
from tasks import Encoding, Example, JointExample, Split, Task, read_joint

Row = Example | JointExample
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
        encoding: `single` and `bi` give `[CLS] a [SEP]` for each sentence, `cross` gives `[CLS] a [SEP] b [SEP]`; a
            pair that is too long loses tokens of its longer sentence first.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most, special tokens included.
        words: Whether to tell which tokens go on with a word.
    """
    columns = list(zip(*texts, strict=True))
    options: dict[str, Any] = {"truncation": True, "max_length": max_length, "return_attention_mask": False}
    if encoding == "cross":
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
    opened = open_together(
        [task], split, root=root, tokenizer=tokenizer, max_length=max_length, cache_dir=cache_dir, report=report
    )
    return opened[0]


def open_together(
    tasks: Sequence[Task],
    split: Split,
    *,
    root: Path,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    cache_dir: Path,
    report: Callable[[str], None],
) -> list[TokenStore]:
    """Return a split of tasks over the same rows in the same encoding: one file, which is read and tokenised once.

    The file of one task is that of `open_split`.

    Args:
        tasks: The tasks.
        split: Which split.
        root: As for `open_split`.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most.
        cache_dir: Folder of the cache.
        report: As for `open_split`.

    Raises:
        InputError: As for `open_split`.
    """
    source = tasks[0].source.describe(split, root)
    settings = [{**task.reading_settings(), **task.generation_settings(split)} for task in tasks]
    is_joint = len(tasks) > 1
    checks = tasks[0].source.checking_settings(split, root)
    reading = settings if is_joint else settings[0]
    key = cache_key(source, tokenizer, max_length, split=split, reading=reading, **checks)
    target = cache_dir / f"{key}.arrow"
    are_sets = [task.labels.is_set for task in tasks]

    def write(target: Path) -> None:
        notes, lines = Notes(source["path"]), list[str]()
        rows: Iterable[Row]
        rows = read_joint(tasks, split, root, notes.add) if is_joint else tasks[0].read_trained(split, root, notes.add)
        write_store(
            notes.collect(rows, lines),
            target,
            encoding=tasks[0].encoding,
            tokenizer=tokenizer,
            max_length=max_length,
            notes=lines,
            schema=joint_schema(are_sets) if is_joint else schema_of(is_set=are_sets[0]),
        )

    template = PairTemplate.of(tokenizer)
    columns = [f"label_{number}" if is_joint else "label" for number in range(len(tasks))]

    def read(path: Path) -> list[TokenStore]:
        return [
            TokenStore(path, task=task, source=source, template=template, label_column=column)
            for task, column in zip(tasks, columns, strict=True)
        ]

    stores = open_cached(target, write=write, read=read)
    for line in stores[0].notes:
        report(source["path"] + line)
    return stores


def schema_of(*, is_set: bool) -> pa.Schema:
    """Return the columns of a file of one task, given whether its labels are sets."""
    return SET_SCHEMA if is_set else SCHEMA


def write_store(
    examples: Iterable[Row],
    target: Path,
    *,
    encoding: Encoding,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    notes: list[str],
    schema: pa.Schema = SCHEMA,
) -> None:
    """Tokenise examples into an Arrow file, in memory bounded by one chunk; the file appears only when whole.

    Args:
        examples: The examples in file order.
        target: The file to write.
        encoding: As for `encode`.
        tokenizer: A fast tokenizer.
        max_length: Tokens a sequence at most.
        notes: What to tell about the source, each to stand behind its path; read after the last example.
        schema: The columns; with the column `continues`, which tokens go on with a word is kept.
    """
    words = schema.equals(WORDS_SCHEMA)
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


def _chunks(examples: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    remaining = iter(examples)
    while chunk := tuple(islice(remaining, ROWS_A_CHUNK)):
        yield chunk


def _record_batch(examples: Sequence[Row], encoded: Sequence[EncodedTexts], schema: pa.Schema) -> pa.RecordBatch:
    found = [example.labels for example in examples]
    columns = [
        [example.id for example in examples],
        *([labels[number] for labels in found] for number in range(len(found[0]))),
        [row.input_ids for row in encoded],
        [row.first_length for row in encoded],
        [row.continues for row in encoded],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=False)]
    return pa.record_batch(arrays, schema=schema)
