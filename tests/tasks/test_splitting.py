import csv
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamodules.shared_files import find_unlike_splits
from tasks import Classification, Example, InputError, MultiLabel, PairClassification, Regression, Source, Task, Texts

TEXT = "the cat dog film song is was very not good bad dull slow great how can learn play chess home"
DEV = ["13", "16", "23", "34", "37", "42"]  # of `films(48)`: the same on every machine, in every version


def films(size: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Return rows with different texts, a label that half of them have, and six authors."""
    drawn = random.Random(seed)
    rows = []
    for number in range(size):
        text = f"{number} {' '.join(drawn.choices(TEXT.split(), k=4))}"
        label = "good" if number % 2 else "bad" if number % 4 else "none"
        rows.append({"text": text, "label": label, "author": f"a{number % 6}", "score": number % 30 / 6})
    return rows


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def task_of(file: object, **options: Any) -> Task:
    more = options if {"dev_share", "folds"} & options.keys() else {"dev_share": 0.125, **options}
    source = Source(all=str(file), **more)
    return Classification(source=source, texts=("text",), label="label", classes=("good", "bad", "none"))


def read(task: Task, split: Any, root: Path = Path()) -> list[Example]:
    return list(task.read(split, root, lambda note: None))


def ids(task: Task, split: Any, root: Path = Path()) -> list[str]:
    return [example.id for example in read(task, split, root)]


def labels(examples: Iterable[Example]) -> Counter[Any]:
    return Counter(example.label for example in examples)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "films.csv", films(48))


def test_each_class_gives_its_share_and_ids_are_places_in_the_file(file):
    task = task_of(file)
    dev, train = read(task, "dev"), read(task, "train")
    assert labels(dev) == {0: 3, 1: 2, 2: 1}
    assert labels(train) == {0: 21, 1: 10, 2: 11}
    assert [example.id for example in dev] == DEV
    assert sorted(map(int, ids(task, "dev") + ids(task, "train"))) == list(range(48))
    assert all(example.texts[0].startswith(f"{example.id} ") for example in dev)  # the row that the id names
    assert task.splits == ("train", "dev")
    assert task_of(file).source.splits == ("train", "dev")


def test_folds_share_out_the_file_and_each_class(file):
    folds = [read(task_of(file, folds=5, fold=fold), "dev") for fold in range(5)]
    assert sorted(int(example.id) for fold in folds for example in fold) == list(range(48))
    assert {len(fold) for fold in folds} == {9, 10}
    for label, count in {0: 24, 1: 12, 2: 12}.items():
        assert {labels(fold)[label] for fold in folds} <= {count // 5, count // 5 + 1}
    assert ids(task_of(file, folds=5, fold=2), "train") == [
        str(number) for number in range(48) if str(number) not in {example.id for example in folds[2]}
    ]


def test_neither_the_order_of_the_rows_nor_other_columns_matter_and_few_rows_move_when_some_are_added(tmp_path):
    rows = films(400)
    shuffled = random.Random(1).sample(rows, len(rows))
    more = [*rows, *films(440, seed=2)[400:]]
    splits = []
    for number, each in enumerate((rows, [{**row, "more": 1} for row in shuffled], more)):
        task = task_of(write(tmp_path / f"{number}.csv", each), dev_share=0.2)
        splits.append({example.texts for example in read(task, "dev")})
    assert splits[0] == splits[1]
    assert len(splits[0]) == 80
    assert len(splits[0] - splits[2]) <= 8  # of 80: where the share of the hashes ends


@pytest.mark.parametrize("options", [{"dev_share": 0.2}, {"folds": 4, "fold": 3}])
def test_equal_texts_and_groups_never_fall_on_both_sides(tmp_path, options):
    rows = films(120)
    for number in range(0, 40, 2):  # in other capitals, with other punctuation, under another label
        rows[number + 60] |= {"text": f'"{str(rows[number]["text"]).upper()}"!', "label": "none"}
    path = write(tmp_path / "films.csv", rows)
    author = {str(number): row["author"] for number, row in enumerate(rows)}
    plain, grouped = task_of(path, **options), task_of(path, group="author", **options)
    dev = ids(plain, "dev")
    assert 20 <= len(dev) <= 34
    for number in range(0, 40, 2):
        assert (str(number) in dev) == (str(number + 60) in dev)
    sides = [{author[name] for name in ids(grouped, split)} for split in ("train", "dev")]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_a_group_that_shares_a_text_with_another_goes_with_it(tmp_path):
    rows = films(48)
    rows[1]["text"] = rows[0]["text"]  # authors a0 and a1
    rows[4]["author"] = ""  # alone
    task = task_of(write(tmp_path / "films.csv", rows), folds=5, fold=0, group="author")
    of = {name: fold for fold in range(5) for name in ids(task_fold(task, fold), "dev")}
    assert {of[str(number)] for number in range(48) if number % 6 < 2} == {of["0"]}
    assert len({of["0"], of["2"], of["3"], of["10"], of["5"]}) == 5


def task_fold(task: Task, fold: int) -> Task:
    return replace(task, source=replace(task.source, fold=fold))


def test_pairs_with_swapped_sides_are_one(tmp_path):
    pairs = [{"a": f"how {number}", "b": f"why {number}", "label": number % 2} for number in range(40)]
    swapped = [{"a": f"Why {row['b'][4:]}?", "b": row["a"], "label": row["label"]} for row in pairs]
    path = write(tmp_path / "pairs.csv", [*pairs, *swapped])
    task = PairClassification(
        source=Source(all=str(path), dev_share=0.25), texts=("a", "b"), label="label", num_classes=2
    )
    dev = set(map(int, ids(task, "dev")))
    assert len(dev) == 20
    assert {(number + 40) % 80 for number in dev} == dev


def test_scores_are_split_by_their_tenths_and_rows_without_a_label_are_one_stratum(tmp_path):
    rows = films(300)
    path = write(tmp_path / "films.csv", rows)
    task = Regression(source=Source(all=str(path), dev_share=0.1), texts=("text",), label="score", low=0, high=5)
    scores = sorted(float(example.label or 0) for example in read(task, "dev"))
    assert [round(score) for score in scores[::6]] == [0, 1, 2, 3, 4]
    for row in rows[:100]:
        row["label"] = "" if int(row["text"].split()[0]) % 2 else " "
    gaps = replace(task_of(write(path, rows), dev_share=0.1), broken_rows="skip")
    assert len(read(gaps, "dev")) == 20
    assert len(read(gaps, "train")) == 180


def test_rows_with_gaps_and_sets_of_labels_are_strata(tmp_path):
    rows = films(100)
    for number, row in enumerate(rows):
        row |= {"tags": ["a", "b;a", "NA", ""][number % 4]}
    source = Source(all=str(write(tmp_path / "films.csv", rows)), dev_share=0.2)
    task = MultiLabel(
        source=source, texts=("text",), label="tags", classes=("a", "b"), separator=";", missing_labels=("NA", "")
    )
    counts = Counter(str(example.label) for example in read(task, "dev"))
    assert sorted(counts.values()) == [5, 5, 10]
    assert counts["None"] == 10  # of both words: one stratum


def test_every_format_gives_the_same_split(tmp_path, file):
    rows = films(48)
    (tmp_path / "films.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "films.parquet")
    for name in ("films.jsonl", "films.parquet"):
        assert ids(task_of(name), "dev", tmp_path) == DEV


def test_a_hub_dataset_is_split_by_the_name_of_one_of_its_splits(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in films(48)))
    task = task_of("train", hub=str(tmp_path / "hub"))
    assert task.splits == ("train", "dev")
    assert ids(task, "dev") == DEV
    assert task.source.describe("dev", tmp_path)["split"] == "dev_share: 0.125"


def test_limits_draw_from_the_split_and_pre_training_reads_its_texts_alone(file):
    task = task_of(file)
    limited = task.with_limits(train=7, dev=2)
    assert len(read(limited, "train")) == 7
    assert set(ids(limited, "train")) < set(ids(task, "train"))
    assert len(read(limited, "dev")) == 2
    assert set(ids(limited, "dev")) < set(DEV)
    texts = [example.texts for example in read(task, "train")]
    assert list(task.read_texts("train", Path(), lambda note: None)) == texts
    told = []
    unlabelled = Texts(source=Source(all=str(file), dev_share=0.125, stratify="label"))
    assert len(list(unlabelled.read_texts("train", Path(), told.append))) == 42
    assert told == [f"{file}: 6 of 48 rows are the dev split (dev_share: 0.125, stratify: label)"]


def test_settings_of_the_split_are_in_the_key_of_the_cache_and_of_the_run(file):
    tasks = [
        task_of(file),
        task_of(file, dev_share=0.25),
        task_of(file, group="author"),
        task_of(file, stratify="author"),
    ]
    tasks += [task_of(file, folds=5, fold=0), task_of(file, folds=5, fold=1)]
    assert len({repr(task.reading_settings()) for task in tasks}) == len(tasks)
    assert len({task.source.describe("dev", Path())["split"] for task in tasks}) == len(tasks)
    assert "split" not in Source(train=str(file)).reading_settings()
    assert repr(task_of(file).text_settings()) != repr(replace(task_of(file), label="author").text_settings())


def test_tasks_over_one_file_are_told_to_split_it_alike(file):
    films, authors = task_of(file), replace(task_of(file), label="author")
    (note,) = find_unlike_splits({"films": films, "authors": authors, "again": films})
    assert note.startswith(f"tasks films and authors split {file} otherwise: rows that one trains on are dev rows")
    alike = [replace(task, source=replace(task.source, stratify="label")) for task in (films, authors)]
    assert not list(find_unlike_splits(dict(zip("ab", alike, strict=True))))
    by_author = replace(alike[1], classes=tuple(f"a{number}" for number in range(6)))
    assert ids(alike[0], "dev") == ids(by_author, "dev")


def test_a_test_file_must_not_have_a_group_of_the_file_that_is_split(file, tmp_path):
    task = replace(task_of(file, group="author", test="test.csv"))
    write(tmp_path / "test.csv", [{"text": "new", "label": "bad", "author": "b"}, films(1)[0]])
    message = f"{tmp_path}/test.csv, line 3: author 'a0' is in {file}, line 44 too (expected a group in one file)"
    with pytest.raises(InputError, match=re.escape(message)):
        read(task, "test", tmp_path)
    write(tmp_path / "test.csv", [{"text": "new", "label": "bad"}])
    assert ids(task, "test", tmp_path) == ["0"]
    assert task.splits == ("train", "dev", "test")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"all": "a", "train": "b", "dev_share": 0.1}, "source.train is 'b' beside source.all 'a', which is split"),
        ({"all": "a", "dev": "b", "dev_share": 0.1}, "source.dev is 'b' beside source.all 'a', which is split"),
        ({"all": "a"}, "source.all without dev_share or folds (expected dev_share: 0.1, or folds: 5 and fold: 0)"),
        ({"all": "a", "dev_share": 0.1, "folds": 5}, "source has dev_share and folds (expected one of them"),
        ({"all": "a", "dev_share": 1.0}, "source.dev_share is 1.0 (expected more than 0 and less than 1)"),
        ({"all": "a", "dev_share": 0.0}, "source.dev_share is 0.0 (expected more than 0 and less than 1)"),
        ({"all": "a", "dev_share": float("nan")}, "source.dev_share is nan (expected more than 0 and less than 1)"),
        ({"all": "a", "folds": 5, "fold": 5}, "source.fold is 5 with 5 folds (expected 0 to 4)"),
        ({"all": "a", "folds": 5, "fold": -1}, "source.fold is -1 with 5 folds (expected 0 to 4)"),
        ({"all": "a", "folds": 5}, "source.fold is missing with 5 folds (expected 0 to 4)"),
        ({"all": "a", "folds": 1, "fold": 0}, "source.folds is 1 (expected 2 or more)"),
        ({"all": "a", "dev_share": 0.1, "fold": 0}, "source.fold is 0 without source.folds (expected folds: 5)"),
        ({"train": "a", "dev_share": 0.1}, "source.dev_share is 0.1 without source.all (expected all with the file"),
        ({"train": "a", "group": "b"}, "source.group is 'b' without source.all (expected all with the file"),
        ({"hub": "a", "all": "b.csv", "dev_share": 0.1}, "source.all is 'b.csv' beside source.hub a (expected"),
    ],
)
def test_settings_that_do_not_fit_each_other(source, message):
    with pytest.raises(InputError, match=f"^Texts: {re.escape(message)}"):
        Texts(source=Source(**source))


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        (48, {"group": "writer"}, "films.csv: no column 'writer' (found 'text', 'label', 'author', 'score'"),
        (48, {"stratify": "class"}, "films.csv: no column 'class' (found"),
        (48, {"folds": 7, "fold": 0, "group": "author"}, "has 6 groups by author that share no text for 7 folds (exp"),
        (4, {"folds": 5, "fold": 0}, "films.csv: has 4 different texts for 5 folds (expected 5 or more)"),
        (1, {}, "films.csv: has 1 different texts for two splits (expected 2 or more)"),
        (
            48,
            {"dev_share": 0.01},
            "dev_share: 0.01 leaves the dev split empty, of 48 rows with 48 different texts (exp",
        ),
        (48, {"dev_share": 0.99}, "dev_share: 0.99 leaves the train split empty, of 48 rows with 48 different texts"),
    ],
)
def test_files_that_cannot_be_split(tmp_path, size, options, message):
    task = task_of(write(tmp_path / "films.csv", films(size)), **options)
    with pytest.raises(InputError, match=re.escape(message)):
        read(task, "dev")
