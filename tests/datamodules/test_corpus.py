import csv
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BertTokenizer

from datamodules import CorpusSettings, TokenFile, corpus, encoding
from datamodules.corpus import Corpus, open_corpus
from runtime.counts import counted
from tasks import InputError, Quora, Source, Sst, Sts, Task, Texts

TASKS: Mapping[str, Task] = {"ids-sst": Sst(), "quora": Quora(), "sts": Sts()}
MANY = [f"the dog has {number} very good film songs" for number in range(400)]


def open_texts(
    texts: Task | Texts, root: Path, tokenizer: BertTokenizer, *, max_length: int = 32, **settings: Any
) -> Corpus:
    """Open a corpus with half of the texts held out, where nothing else is said."""
    return open_corpus(
        texts,
        CorpusSettings(**{"held_out": 0.5, **settings}),
        root=root,
        tokenizer=tokenizer,
        max_length=max_length,
        cache_dir=root / "cache",
        report=lambda _: None,
    )


def rows(file: TokenFile) -> list[list[int]]:
    return [file.tokens(row).tolist() for row in range(len(file))]


def decode(file: TokenFile, tokenizer: BertTokenizer) -> list[str]:
    return [tokenizer.decode(row, skip_special_tokens=True) for row in rows(file)]


def write_lines(root: Path, lines: Sequence[str]) -> Texts:
    (root / "own.txt").write_text("".join(f"{line}\n" for line in lines))
    return Texts(source=Source(train="own.txt"))


def train_texts(root: Path, name: str) -> list[tuple[str, ...]]:
    """Read the train texts of a CS224N file with the csv module alone."""
    with (root / f"{name}-train.csv").open(newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    columns = ["sentence"] if name == "ids-sst" else ["sentence1", "sentence2"]
    return [tuple(row[column] for column in columns) for row in found]


@pytest.fixture
def train_only(cs224n_root: Path, tmp_path: Path) -> Path:
    """The train files alone; dev files are missing and test files hold poison in the place of the texts."""
    for name in TASKS:
        (tmp_path / f"{name}-train.csv").write_bytes((cs224n_root / f"{name}-train.csv").read_bytes())
        (tmp_path / f"{name}-test-student.csv").write_bytes(b"\xff poison")
    return tmp_path


@pytest.mark.parametrize("sequences", ["sentences", "pairs"])
@pytest.mark.parametrize("name", TASKS)
def test_the_corpus_of_a_task_holds_its_train_texts_and_nothing_else(
    train_only: Path, tokenizer: BertTokenizer, name: str, sequences: str
) -> None:
    found = open_texts(TASKS[name], train_only, tokenizer, sequences=sequences, duplicates="keep")

    texts = train_texts(train_only, name)
    expected = texts if sequences == "pairs" else [(text,) for row in texts for text in row]
    assert len(expected) == 12 * (1 if name == "ids-sst" or sequences == "pairs" else 2)
    every = Counter(tuple(tokenizer(*texts).input_ids) for texts in expected)
    kept = Counter(map(tuple, rows(found.train) + rows(found.held_out)))
    assert kept <= every if sequences == "pairs" else kept == every


def test_no_text_that_is_held_out_is_trained_on_in_another_case_or_beside_another_text(
    tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    pairs = [(MANY[number], MANY[number + 1]) for number in range(300)]  # chained: each text stands in two pairs
    written = [f"{a}\t{b}\n" for a, b in pairs] + [f"{a.upper()}\t{b.replace(' ', '  ')}\n" for a, b in pairs[:50]]
    (tmp_path / "pairs.tsv").write_text("".join(["a\tb\n", *written]))
    texts = Texts(source=Source(train="pairs.tsv"), texts=("a", "b"))

    paired = open_texts(texts, tmp_path, tokenizer, sequences="pairs", held_out=0.1)
    single = open_texts(texts, tmp_path, tokenizer, held_out=0.1)

    def sides(file: TokenFile) -> set[tuple[int, ...]]:
        halves = [(file.tokens(row)[1:n], file.tokens(row)[n:]) for row, n in enumerate(file.first_lengths)]
        return {tuple(half.tolist()) for pair in halves for half in pair}

    assert not sides(paired.train) & sides(paired.held_out)
    assert len(paired.train) > 200
    assert not set(decode(single.train, tokenizer)) & set(decode(single.held_out, tokenizer))


def test_dev_and_test_text_changes_nothing(cs224n_root: Path, train_only: Path, tokenizer: BertTokenizer) -> None:
    for task in TASKS.values():
        with_others = open_corpus(
            task,
            CorpusSettings(held_out=0.5),
            root=cs224n_root,
            tokenizer=tokenizer,
            max_length=32,
            cache_dir=train_only / "other",
            report=lambda _: None,
        )
        alone = open_texts(task, train_only, tokenizer)

        assert rows(alone.train) == rows(with_others.train)
        assert rows(alone.held_out) == rows(with_others.held_out)


def test_path_and_sha256_of_the_train_file_stay_with_both_parts(train_only: Path, tokenizer: BertTokenizer) -> None:
    found = open_texts(Sst(), train_only, tokenizer)

    path = train_only / "ids-sst-train.csv"
    expected = {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert found.train.source == found.held_out.source == expected


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_the_held_out_part_is_its_share_of_the_texts_and_disjoint(
    tmp_path: Path, tokenizer: BertTokenizer, share: float
) -> None:
    found = open_texts(write_lines(tmp_path, MANY), tmp_path, tokenizer, held_out=share)

    train, held_out = decode(found.train, tokenizer), decode(found.held_out, tokenizer)
    assert not set(train) & set(held_out)
    assert sorted(train + held_out) == sorted(MANY)
    assert abs(len(held_out) - share * len(MANY)) < 4 * (share * (1 - share) * len(MANY)) ** 0.5


def test_the_split_of_a_text_depends_on_the_text_alone(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    first = open_texts(write_lines(tmp_path, MANY), tmp_path, tokenizer)
    other = open_texts(write_lines(tmp_path, [*MANY[::-2], "a new text"]), tmp_path, tokenizer)

    assert rows(first.train) != rows(other.train)
    assert set(decode(other.held_out, tokenizer)) - {"a new text"} <= set(decode(first.held_out, tokenizer))
    assert set(decode(other.train, tokenizer)) - {"a new text"} <= set(decode(first.train, tokenizer))


def test_a_repeated_text_is_dropped_or_kept_and_never_in_both_parts(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    texts = write_lines(tmp_path, MANY[:50] * 3)

    dropped = open_texts(texts, tmp_path, tokenizer, duplicates="drop")
    kept = open_texts(texts, tmp_path, tokenizer, duplicates="keep")

    assert len(dropped.train) + len(dropped.held_out) == 50
    assert len(kept.train) == 3 * len(dropped.train)
    assert decode(dropped.train, tokenizer) * 3 == decode(kept.train, tokenizer)
    assert not set(decode(kept.train, tokenizer)) & set(decode(kept.held_out, tokenizer))


def test_a_sentence_that_both_sides_of_a_pair_hold_is_dropped_among_sentences_but_not_among_pairs(
    tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    pairs = [(text, text) for text in MANY[:40]]
    (tmp_path / "pairs.tsv").write_text("a\tb\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    texts = Texts(source=Source(train="pairs.tsv"), texts=("a", "b"))

    sentences = open_texts(texts, tmp_path, tokenizer)
    paired = open_texts(texts, tmp_path, tokenizer, sequences="pairs")

    assert len(sentences.train) + len(sentences.held_out) == 40
    assert len(paired.train) + len(paired.held_out) == 40
    assert {file.first_lengths[0] for file in (paired.train, paired.held_out)} == {len(tokenizer(MANY[0]).input_ids)}


def test_short_texts_are_left_out_as_are_pairs_with_a_short_side(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    lines = [text[:size] for text in MANY[100:104] for size in range(1, 24)]
    (tmp_path / "pairs.tsv").write_text("a\tb\n" + "".join(f"{line}\t{line.strip()}, as I said\n" for line in lines))
    pairs = Texts(source=Source(train="pairs.tsv"), texts=("a", "b"))

    found = open_texts(write_lines(tmp_path, lines), tmp_path, tokenizer, min_characters=10, duplicates="keep")
    paired = open_texts(pairs, tmp_path, tokenizer, min_characters=10, duplicates="keep", sequences="pairs")

    wanted = [" ".join(line.split()) for line in lines if len(line.strip()) >= 10]
    assert 0 < len(wanted) < len(lines)
    assert sorted(decode(found.train, tokenizer) + decode(found.held_out, tokenizer)) == sorted(wanted)
    assert len(paired.train) + len(paired.held_out) == len(wanted)


def test_pairs_have_the_tokens_and_segment_lengths_of_the_tokenizer(train_only: Path, tokenizer: BertTokenizer) -> None:
    found = open_texts(Quora(), train_only, tokenizer, sequences="pairs", max_length=12)

    expected = Counter()
    for pair in set(train_texts(train_only, "quora")):
        tokens = tokenizer(*pair, truncation=True, max_length=12)
        expected[tuple(tokens.input_ids), tuple(tokens.token_type_ids)] += 1
    parts = [(file, row) for file in (found.train, found.held_out) for row in range(len(file))]
    segments = [np.arange(file.lengths[row]) >= file.first_lengths[row] for file, row in parts]
    assert expected >= Counter(
        (tuple(file.tokens(row).tolist()), tuple(map(int, segment)))
        for (file, row), segment in zip(parts, segments, strict=True)
    )
    assert max(len(segment) for segment in segments) == 12


def test_the_other_text_of_a_pair_with_an_empty_side_stays_among_sentences(
    tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    (tmp_path / "pairs.tsv").write_text("a\tb\n" + "".join(f"{text}\t\n" for text in MANY[:20]))
    texts = Texts(source=Source(train="pairs.tsv"), texts=("a", "b"))

    found = open_texts(texts, tmp_path, tokenizer)

    assert sorted(decode(found.train, tokenizer) + decode(found.held_out, tokenizer)) == sorted(MANY[:20])


def test_train_limit_gives_the_texts_that_fine_tuning_sees(cs224n_root: Path, tokenizer: BertTokenizer, tmp_path: Path):
    for name in ("ids-sst-train.csv",):
        (tmp_path / name).write_bytes((cs224n_root / name).read_bytes())
    whole = open_texts(Sst(), tmp_path, tokenizer)
    task = Sst(train_limit=8)
    limited = open_texts(task, tmp_path, tokenizer)

    expected = {tuple(tokenizer(*example.texts).input_ids) for example in task.read("train", tmp_path, print)}
    assert set(map(tuple, rows(limited.train) + rows(limited.held_out))) == expected
    assert len(expected) < len(whole.train) + len(whole.held_out)


def test_single_sentences_stay_single_among_pairs(train_only: Path, tokenizer: BertTokenizer) -> None:
    found = open_texts(Sst(), train_only, tokenizer, sequences="pairs")

    assert found.train.first_lengths.tolist() == found.train.lengths.tolist()


def test_a_folder_in_hub_layout_is_read_without_its_other_splits(
    tmp_path: Path, tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    hub = tmp_path / "hub"
    hub.mkdir()
    for split, texts in (("train", MANY[:20]), ("validation", ["poison"]), ("test", ["poison"])):
        (hub / f"{split}.jsonl").write_text("".join(json.dumps({"line": text}) + "\n" for text in texts))

    found = open_texts(Texts(source=Source(hub=str(hub)), texts=("line",)), tmp_path, tokenizer)

    assert sorted(decode(found.train, tokenizer) + decode(found.held_out, tokenizer)) == sorted(MANY[:20])
    assert found.train.source["path"] == str(hub)
    assert found.train.source["sha256"]


def test_the_cache_serves_equal_settings_and_no_others(
    tmp_path: Path, tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = partial(open_texts, write_lines(tmp_path, MANY[:50]), tmp_path, tokenizer)
    first = opened()
    tokenizer("text", padding="max_length", truncation=True, max_length=9)  # leaves its settings in the tokenizer

    with monkeypatch.context() as patch:
        patch.setattr(corpus, "write_store", None)  # any write would fail
        assert rows(opened().train) == rows(first.train)
    others = [opened(**change) for change in ({"held_out": 0.4}, {"max_length": 9}, {"min_characters": 2})]
    others += [opened(duplicates="keep"), opened(sequences="pairs")]

    assert len({first.train.path, *(other.train.path for other in others)}) == 6
    assert max(others[1].train.lengths) == 9


def test_equal_bytes_under_another_ending_are_read_anew(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    content = "text\tb,text\n" + "".join(f"{text}\tx,very {text}\n" for text in MANY[:20])
    for name in ("own.tsv", "own.csv"):
        (tmp_path / name).write_text(content)

    as_tsv = open_texts(Texts(source=Source(train="own.tsv")), tmp_path, tokenizer)
    as_csv = open_texts(Texts(source=Source(train="own.csv")), tmp_path, tokenizer)

    assert set(decode(as_tsv.train, tokenizer)) <= set(MANY[:20])
    assert set(decode(as_csv.train, tokenizer)) <= {f"very {text}" for text in MANY[:20]}


def test_a_corpus_larger_than_a_chunk_keeps_its_order(
    tmp_path: Path, tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "ROWS_A_CHUNK", 7)

    found = open_texts(write_lines(tmp_path, MANY), tmp_path, tokenizer, held_out=0.02)

    train = decode(found.train, tokenizer)
    assert [text for text in MANY if text in set(train)] == train


def test_skipped_and_cut_rows_are_reported_also_from_the_cache(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    path = tmp_path / "own.csv"
    path.write_text("text\n" + "".join(f"{text}\n" for text in MANY[:20]) + '" "\n')
    reported: list[str] = []
    for _ in range(2):
        found = open_corpus(
            Texts(source=Source(train="own.csv")),
            CorpusSettings(held_out=0.5),
            root=tmp_path,
            tokenizer=tokenizer,
            max_length=6,
            cache_dir=tmp_path / "cache",
            report=reported.append,
        )

    cut = f"{path}: {counted(len(found.train), 'example')} cut to 6 tokens"
    assert reported == [f"{path}, line 22: skipped, text is empty", cut] * 2


def test_pairs_that_a_held_out_one_keeps_from_being_trained_on_are_counted(
    tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    lines = [f"{MANY[number // 4]}\t{MANY[number + 50]}\n" for number in range(200)]  # four pairs with one first text
    (tmp_path / "pairs.tsv").write_text("".join(["a\tb\n", *lines]))
    reported: list[str] = []
    found = open_corpus(
        Texts(source=Source(train="pairs.tsv"), texts=("a", "b")),
        CorpusSettings(sequences="pairs", held_out=0.1),
        root=tmp_path,
        tokenizer=tokenizer,
        max_length=60,
        cache_dir=tmp_path / "cache",
        report=reported.append,
    )
    left_out = 200 - len(found.train) - len(found.held_out)
    assert left_out > len(found.held_out)
    said = f"{left_out} pairs left out, with a text that a held-out pair has too"
    assert [line for line in reported if "left out" in line] == [f"{tmp_path / 'pairs.tsv'}: {said}"]


@pytest.mark.parametrize(("held_out", "part"), [(1e-9, "held_out"), (1 - 1e-9, "train")])
def test_a_part_without_text_is_refused(tmp_path: Path, tokenizer: BertTokenizer, held_out: float, part: str) -> None:
    texts = write_lines(tmp_path, MANY[:20])

    for _ in range(2):  # read, then from the cache
        with pytest.raises(InputError, match=rf"own\.txt: leaves no text for the {part} part"):
            open_texts(texts, tmp_path, tokenizer, held_out=held_out)


def test_an_empty_file_is_refused(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    with pytest.raises(InputError, match=r"own\.txt: leaves no text for the train part"):
        open_texts(write_lines(tmp_path, []), tmp_path, tokenizer)


def test_a_source_without_train_split_is_refused(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    with pytest.raises(InputError, match=r"^Texts: its source names no train split"):
        open_texts(Texts(source=Source(dev="own.txt")), tmp_path, tokenizer)


def test_a_broken_file_leaves_nothing_in_the_cache(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    (tmp_path / "own.txt").write_bytes(b"fine\n" * 30 + b"\xff\n")

    with pytest.raises(InputError, match=r"own\.txt, line 31: not UTF-8"):
        open_texts(Texts(source=Source(train="own.txt")), tmp_path, tokenizer)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("held_out", [0.0, 1.0, -0.1, float("nan")])
def test_a_held_out_share_out_of_range_is_refused(held_out: float) -> None:
    with pytest.raises(ValueError, match=r"corpus\.held_out is \S+ \(expected more than 0 and less than 1\)"):
        CorpusSettings(held_out=held_out)
