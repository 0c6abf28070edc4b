"""The committed sample data: reproducible, in the CS224N format, without leakage, and not solvable by shared words."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

import sample_data
from sample_data.generate import COLUMNS, SPLIT_SIZES, Split, generate

FOLDER = Path(sample_data.__file__).parent
SPLITS_WITH_LABELS: tuple[Split, ...] = ("train", "dev")
FILES = [(dataset, split) for dataset, sizes in SPLIT_SIZES.items() for split in sizes]


def read_rows(dataset: str, split: Split) -> list[dict[str, str]]:
    with (FOLDER / f"{dataset}-{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def read_sentences(dataset: str, split: Split) -> list[str]:
    columns = COLUMNS[dataset][:-1]
    return [row[column] for row in read_rows(dataset, split) for column in columns]


def count_labels(dataset: str, split: Split) -> Counter[float]:
    return Counter(float(row[COLUMNS[dataset][-1]]) for row in read_rows(dataset, split))


def jaccard(row: dict[str, str]) -> float:
    """Share of the words of both questions that both have."""
    first, second = (set(re.findall(r"[\w+']+", row[column].lower())) for column in ("sentence1", "sentence2"))
    return len(first & second) / len(first | second)


def test_the_defaults_regenerate_the_committed_files(tmp_path: Path) -> None:
    generate(tmp_path, seed=0)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 10
    assert names == sorted(path.name for path in FOLDER.glob("*.csv"))
    for name in names:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_another_seed_gives_other_sentences(tmp_path: Path) -> None:
    generate(tmp_path, seed=1)
    for name in ["reviews.csv", *(f"{dataset}-{split}.csv" for dataset, split in FILES)]:
        assert (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes(), name


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ids-sst-train", "\tid\tsentence\tsentiment"),
        ("ids-sst-dev", "\tid\tsentence\tsentiment"),
        ("ids-sst-test-student", "0\t\tid\tsentence"),
        ("quora-train", "\tid\tsentence1\tsentence2\tis_duplicate"),
        ("quora-dev", "\tid\tsentence1\tsentence2\tis_duplicate"),
        ("quora-test-student", "\tid\tsentence1\tsentence2"),
        ("sts-train", "\tid\tsentence1\tsentence2\tsimilarity"),
        ("sts-dev", "\tid\tsentence1\tsentence2\tsimilarity"),
        ("sts-test-student", "\tid\tsentence1\tsentence2"),
    ],
)
def test_headers_are_those_of_cs224n(name: str, header: str) -> None:
    text = (FOLDER / f"{name}.csv").read_bytes()
    assert text.startswith(header.encode() + b"\n")
    assert b"\r" not in text


@pytest.mark.parametrize(("dataset", "split"), FILES)
def test_every_row_is_complete(dataset: str, split: Split) -> None:
    rows = read_rows(dataset, split)
    assert len(rows) == SPLIT_SIZES[dataset][split]
    for row in rows:
        assert None not in row  # the key of surplus fields
        assert all(row.values())
        assert re.fullmatch("[0-9a-f]{25}", row["id"])


def test_the_second_index_of_the_sst_test_file_is_one_less() -> None:
    rows = read_rows("ids-sst", "test-student")
    assert [(int(row["0"]), float(row[""])) for row in rows] == [(i + 1, float(i)) for i in range(60)]


def test_some_questions_need_quoting() -> None:
    text = (FOLDER / "quora-dev.csv").read_text(encoding="utf-8")
    assert '""' in text
    assert any('"' in sentence for sentence in read_sentences("quora", "dev"))


def test_identifiers_are_unique_across_files() -> None:
    identifiers = [row["id"] for dataset, split in FILES for row in read_rows(dataset, split)]
    assert len(set(identifiers)) == len(identifiers) == 2180


@pytest.mark.parametrize("dataset", SPLIT_SIZES)
def test_no_sentence_is_in_two_splits(dataset: str) -> None:
    train, dev, test = (set(read_sentences(dataset, split)) for split in ("train", "dev", "test-student"))
    assert min(len(train), len(dev), len(test)) > 0
    assert not train & dev
    assert not train & test
    assert not dev & test


@pytest.mark.parametrize(("dataset", "split"), FILES)
def test_no_pair_is_twice_in_a_split(dataset: str, split: Split) -> None:
    columns = COLUMNS[dataset][:-1]
    examples = [frozenset(row[column] for column in columns) for row in read_rows(dataset, split)]
    assert len(set(examples)) == len(examples)
    assert {len(example) for example in examples} == {len(columns)}


def test_sentiment_has_five_levels_of_which_none_dominates() -> None:
    assert count_labels("ids-sst", "train") == {0: 72, 1: 120, 2: 96, 3: 120, 4: 72}
    assert count_labels("ids-sst", "dev") == {0: 30, 1: 50, 2: 40, 3: 50, 4: 30}


def test_two_question_pairs_in_five_are_duplicates() -> None:
    assert count_labels("quora", "train") == {0: 288, 1: 192}
    assert count_labels("quora", "dev") == {0: 144, 1: 96}


def test_similarities_are_spread_evenly_from_0_to_5() -> None:
    for split in SPLITS_WITH_LABELS:
        counts, rows_each = count_labels("sts", split), SPLIT_SIZES["sts"][split] // 26
        assert sorted(counts) == [fifths / 5 for fifths in range(26)]
        assert set(counts.values()) <= {rows_each, rows_each + 1}


@pytest.mark.parametrize("split", SPLITS_WITH_LABELS)
@pytest.mark.parametrize("sign", [1, -1])
def test_word_overlap_alone_does_not_find_duplicates(split: Split, sign: int) -> None:
    scored = [(sign * jaccard(row), row["is_duplicate"] == "1.0") for row in read_rows("quora", split)]
    thresholds = {score for score, _ in scored} | {2.0}
    accuracies = [sum((score >= limit) == duplicate for score, duplicate in scored) for limit in thresholds]
    assert max(accuracies) / len(scored) < 0.7


@pytest.mark.parametrize("split", SPLITS_WITH_LABELS)
def test_hard_negatives_share_more_words_than_most_duplicates(split: Split) -> None:
    rows = read_rows("quora", split)
    duplicates = sorted(jaccard(row) for row in rows if row["is_duplicate"] == "1.0")
    others = [jaccard(row) for row in rows if row["is_duplicate"] == "0.0"]
    assert sum(score > duplicates[len(duplicates) // 2] for score in others) / len(others) > 0.25


def test_dev_has_words_that_training_never_shows() -> None:
    for dataset in SPLIT_SIZES:
        train, dev = (set(" ".join(read_sentences(dataset, split)).lower().split()) for split in ("train", "dev"))
        assert len(dev - train) >= 10, dataset


def test_the_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.csv")) < 400_000
