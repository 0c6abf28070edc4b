import csv
import json
import math
import re
from dataclasses import FrozenInstanceError
from functools import partial
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heads import ConcatProductHead, CosineHead, LinearHead, ProductHead, Scores
from tasks import Classification, Example, InputError, PairClassification, PairRegression, Regression, Source, Task

SOURCE = Source(train="train.csv", dev="dev.csv", test="test.csv")
EMPTY = (
    "is empty (expected a label) (missing_labels: ignore takes it as no label, broken_rows: skip leaves such rows out)"
)
SINGLE = Classification(source=SOURCE, texts=("text",), label="label", num_classes=3)
KEPT_WORDS = [
    "null",
    "NA",
    "None",
    "nan",
    "=1+1",
    '=HYPERLINK("http://example.org")',
    "@SUM(A1)",
    "0",
    "-",
    " indented",
]
nonblank = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(lambda text: text.strip())


def single(**settings) -> Classification:
    return Classification(**{"source": SOURCE, "texts": ("text",), "label": "label", "num_classes": 3, **settings})


def pair(**settings) -> PairClassification:
    return PairClassification(**{"source": SOURCE, "texts": ("a", "b"), "label": "label", "num_classes": 2, **settings})


def score(**settings) -> PairRegression:
    return PairRegression(
        **{"source": SOURCE, "texts": ("a", "b"), "label": "label", "low": 0.0, "high": 5.0, **settings}
    )


def read(task: Task, root: Path, split: str = "train") -> list[Example]:
    """Return the examples of a split, none of which may be skipped."""
    return list(task.read(split, root, pytest.fail))


def fails(task: Task, root: Path, message: str, split: str = "train") -> None:
    """Expect an error about a file of `root`."""
    with pytest.raises(InputError, match=f"^{re.escape(str(root) + '/' + message)}$"):
        read(task, root, split)


# Reading


def test_rows_become_examples(tmp_path):
    (tmp_path / "train.csv").write_text("label,text,more\n2,good,x\n0,bad,y\n")
    assert read(SINGLE, tmp_path) == [Example("0", ("good",), 2), Example("1", ("bad",), 0)]


def test_the_two_texts_come_in_the_order_of_the_task(tmp_path):
    (tmp_path / "train.csv").write_text("a,b,label\nfirst,second,1\n")
    assert read(pair(), tmp_path) == [Example("0", ("first", "second"), 1)]
    assert read(pair(texts=("b", "a")), tmp_path) == [Example("0", ("second", "first"), 1)]


def test_an_id_column_names_the_examples(tmp_path):
    (tmp_path / "train.csv").write_text("key,text,label\nx7,good,2\n0012,bad,0\n")
    assert [example.id for example in read(single(id="key"), tmp_path)] == ["x7", "0012"]


def test_every_format_gives_the_same_examples(tmp_path):
    rows = [{"key": "k1", "text": "good, film", "label": 2}, {"key": "k2", "text": 'bad "film"', "label": 0}]
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, ["key", "text", "label"], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    expected = [Example("k1", ("good, film",), 2), Example("k2", ('bad "film"',), 0)]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.csv", "a.jsonl", "a.parquet", "a.tsv"]
    for name in names:
        assert read(single(source=Source(train=name), id="key"), tmp_path) == expected, name


def test_a_hub_folder_gives_the_examples_of_each_split(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "reviews"
    folder.mkdir()
    labels = {"train": [1, 0], "validation": [2, 0], "test": [-1, -1]}
    for split, numbers in labels.items():
        rows = [{"text": f"{split} {number}", "label": label} for number, label in enumerate(numbers)]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = single(source=Source(hub=str(folder)))
    assert task.splits == ("train", "dev", "test")
    assert read(task, tmp_path) == [Example("0", ("train 0",), 1), Example("1", ("train 1",), 0)]
    assert [example.label for example in read(task, tmp_path, "dev")] == [2, 0]
    assert [example.label for example in read(task, tmp_path, "test")] == [None, None]
    with pytest.raises(InputError, match=f"^{folder} test: no column 'sentence' "):
        read(single(source=task.source, texts=("sentence",)), tmp_path, "test")


def test_class_labels_of_a_hub_dataset_are_read_by_number(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"]))
    (tmp_path / "reviews").mkdir()
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    table.to_parquet(tmp_path / "reviews" / "train.parquet")
    task = single(source=Source(hub=str(tmp_path / "reviews")), num_classes=2)
    assert [example.label for example in read(task, tmp_path)] == [1, 0]


def test_test_labels_may_be_absent_empty_secret_or_given(tmp_path):
    (tmp_path / "test.csv").write_text("text\nx\n")
    assert read(SINGLE, tmp_path, "test") == [Example("0", ("x",), None)]
    (tmp_path / "test.csv").write_text("text,label\nx,\ny,-1\nz,-1.0\nw,2\nshort\n")
    assert [example.label for example in read(SINGLE, tmp_path, "test")] == [None, None, None, 2, None]


def test_minus_one_is_no_label_outside_the_test_split(tmp_path):
    (tmp_path / "dev.csv").write_text("text,label\nx,-1\n")
    fails(SINGLE, tmp_path, "dev.csv, line 2: label is '-1' (expected 0 to 2)", "dev")


def test_words_that_other_readers_take_for_missing_are_texts(tmp_path):
    rows = "".join(f'"{word.replace(chr(34), chr(34) * 2)}",1\n' for word in KEPT_WORDS)
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    assert [example.texts for example in read(SINGLE, tmp_path)] == [(word,) for word in KEPT_WORDS]


def test_a_sentence_of_a_hundred_thousand_letters_is_read(tmp_path):
    (tmp_path / "train.csv").write_text(f"text,label\n{'long ' * 20_000},1\n")
    assert read(SINGLE, tmp_path)[0].texts == ("long " * 20_000,)


untorn = nonblank.filter(lambda text: not {"\t", "\n"} <= set(text))  # both in one cell: a quote swallowed rows


@given(pairs=st.lists(st.tuples(untorn, untorn), min_size=1, max_size=4))
def test_any_pair_of_texts_is_read_back(pairs, tmp_path_factory):
    root = tmp_path_factory.getbasetemp()
    with (root / "pairs.tsv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([["a", "b", "label"], *([*texts, 1] for texts in pairs)])
    lines = [json.dumps({"a": first, "b": second, "label": 1}) + "\n" for first, second in pairs]
    (root / "pairs.jsonl").write_text("".join(lines))
    for name in ("pairs.tsv", "pairs.jsonl"):
        examples = pair(source=Source(train=name)).read("train", root, lambda note: None)
        assert [example.texts for example in examples] == pairs


def test_a_header_alone_gives_no_examples(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\n")
    assert read(SINGLE, tmp_path) == []


# Errors of a file: where, what came, what was expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\nx,1\n ,2\n", "line 3: text is empty (expected text) (broken_rows: skip leaves such rows out)"),
        ("text,label\nx,\n", f"line 2: label {EMPTY}"),
        ("label,text\n1\n", "line 2: text is empty (expected text) (broken_rows: skip leaves such rows out)"),
        ("text,label\nx, \n", f"line 2: label {EMPTY}"),
        ("text,label\nx,1\ny,3\n", "line 3: label is '3' (expected 0 to 2)"),
        ("text,label\n\n\nx,good\n", "line 4: label is 'good' (expected 0 to 2)"),
        ("text,label\nx, y,1\n", "line 2: has 3 cells (expected 2 as in the header)"),
        (
            "t;y\nx, y;1\n",
            "line 2: has 2 cells (expected 1 as in the header, 't;y'; if that is several names in one, set delimiter)",
        ),
    ],
)
def test_a_broken_row_is_named_with_its_line(content, message, tmp_path):
    (tmp_path / "train.csv").write_text(content)
    fails(SINGLE, tmp_path, f"train.csv, {message}")


def test_a_broken_row_of_json_or_parquet_is_named_too(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": 1}\n{"text": null, "label": 1}\n')
    tail = "text is empty (expected text) (broken_rows: skip leaves such rows out)"
    fails(single(source=Source(train="a.jsonl")), tmp_path, f"a.jsonl, line 2: {tail}")
    pq.write_table(pa.table({"text": ["x", ""], "label": [1, 1]}), tmp_path / "a.parquet")
    fails(single(source=Source(train="a.parquet")), tmp_path, f"a.parquet, row 2: {tail}")


def test_a_missing_number_of_a_parquet_file_is_an_empty_label(tmp_path):
    pq.write_table(pa.table({"text": ["x", "y"], "label": [1.0, math.nan]}), tmp_path / "a.parquet")
    tail = f"label {EMPTY}"
    fails(single(source=Source(train="a.parquet")), tmp_path, f"a.parquet, row 2: {tail}")


@pytest.mark.parametrize("cell", ["", "  "])
def test_an_empty_id_is_an_error(cell, tmp_path):
    (tmp_path / "train.csv").write_text(f"key,text,label\n{cell},x,1\n")
    fails(single(id="key"), tmp_path, "train.csv, line 2: key is empty (expected an id)")


def test_broken_rows_are_skipped_and_reported_on_demand(tmp_path):
    (tmp_path / "train.csv").write_text('text,label\nx,1\n,2\n"two\nlines",\nshort\ny,0\n')
    reports: list[str] = []
    examples = list(single(broken_rows="skip").read("train", tmp_path, reports.append))
    assert examples == [Example("0", ("x",), 1), Example("4", ("y",), 0)]
    assert reports == [
        f"{tmp_path}/train.csv, line 3: skipped, text is empty (expected text)",
        f"{tmp_path}/train.csv, line 4: skipped, label is empty (expected a label)",
        f"{tmp_path}/train.csv, line 6: skipped, label is empty (expected a label)",
        f"{tmp_path}/train.csv: 1 row over several lines, the first at line 4 (quotes: false if quotes are text)",
    ]


def test_a_wrong_label_is_not_skipped(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\nx,7\n")
    fails(single(broken_rows="skip"), tmp_path, "train.csv, line 2: label is '7' (expected 0 to 2)")


@pytest.mark.parametrize(
    ("content", "column", "found"),
    [
        ("sentence,label\nx,1\n", "text", "(found 'sentence', 'label')"),
        ("text,Label\nx,1\n", "label", "(found 'text', 'Label') (did you mean Label?)"),
        ("text\tlabel\nx\t1\n", "text", r"(found 'text\tlabel'; if that is several names in one, set delimiter)"),
        ("text;label\nx;1\n", "text", "(found 'text;label'; if that is several names in one, set delimiter)"),
    ],
)
def test_a_missing_column_comes_with_those_found_and_a_hint(content, column, found, tmp_path):
    (tmp_path / "train.csv").write_text(content)
    fails(SINGLE, tmp_path, f"train.csv: no column {column!r} {found}")


def test_a_missing_id_column_is_an_error_in_every_split(tmp_path):
    task = single(id="key")
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.csv").write_text("text,label\nx,1\n")
        with pytest.raises(InputError, match=rf"{split}\.csv: no column 'key' \(found 'text', 'label'\)"):
            read(task, tmp_path, split)


@pytest.mark.parametrize(
    ("header", "column"), [("text,label,text", "text"), ("label,text,label", "label"), ("key,text,label,key", "key")]
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_needed_column_named_twice_is_an_error(header, column, split, tmp_path):
    header += ",key" if "key" not in header else ""
    cells = ",".join("1" for _ in header.split(","))
    (tmp_path / f"{split}.csv").write_text(f"{header}\n{cells}\n")
    fails(single(id="key"), tmp_path, f"{split}.csv: two columns are named {column!r} (expected one)", split)


def test_other_columns_may_be_named_twice(tmp_path):
    (tmp_path / "train.csv").write_text(",,note,note,text,label\n0,1,a,b,x,1\n")
    assert read(SINGLE, tmp_path) == [Example("0", ("x",), 1)]


def test_a_missing_file_is_an_error(tmp_path):
    fails(
        SINGLE,
        tmp_path,
        f"dev.csv: no such file (the dev split; relative paths start from --data.root {tmp_path})",
        "dev",
    )


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "train.csv").mkdir()
    fails(SINGLE, tmp_path, "train.csv: is a folder (expected a file of the train split)")


def test_a_split_that_the_source_lacks_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"^source names no test split \(it has train\)$"):
        read(single(source=Source(train="train.csv")), tmp_path, "test")


# Settings


@pytest.mark.parametrize(
    ("build", "settings", "message"),
    [
        (
            single,
            {"source": Source()},
            "Classification: source is empty (expected all, train, dev or test with a file, or hub",
        ),
        (single, {"source": Source(name="x")}, "Classification: source is empty (expected all, train, dev or test"),
        (single, {"texts": ("a", "b")}, "Classification: texts names 2 columns (expected 1)"),
        (single, {"texts": ()}, "Classification: texts names 0 columns (expected 1)"),
        (pair, {"texts": ("a",)}, "PairClassification: texts names 1 column (expected 2)"),
        (score, {"texts": ("a",), "encoding": "bi"}, "PairRegression: texts names 1 column (expected 2)"),
        (single, {"weight": -0.5}, "Classification: weight is -0.5 (expected 0 or more)"),
        (single, {"weight": math.nan}, "Classification: weight is nan (expected 0 or more)"),
        (single, {"weight": math.inf}, "Classification: weight is inf (expected 0 or more)"),
        (single, {"batch_size": 0}, "Classification: batch_size is 0 (expected 1 or more)"),
        (
            single,
            {"delimiter": r"\t"},
            r"""Classification: delimiter is '\\t' (expected one character; a tab is "\t" in YAML, $'\t' in a shell)""",
        ),
        (single, {"delimiter": ""}, "Classification: delimiter is '' (expected one character; a tab is"),
        (single, {"metrics": ()}, "Classification: the first of metrics must be one where higher is better, got ()"),
        (
            score,
            {"metrics": ("mean_absolute_error", "pearson")},
            "PairRegression: the first of metrics must be one where higher is better, got ('mean_absolute_error', ",
        ),
        (
            single,
            {"metrics": ("accuracy", "pearson")},
            "Classification: metric 'pearson' does not fit classes (expected one of accuracy, macro_f1, matthews",
        ),
        (single, {"metrics": ("f1",)}, "Classification: metric 'f1' does not fit classes (expected one of "),
        (
            score,
            {"metrics": ("accuracy",)},
            "PairRegression: metric 'accuracy' does not fit scores (expected one",
        ),
    ],
)
def test_a_setting_that_is_out_of_range_is_an_error(build, settings, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        build(**settings)


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"batch_size": 1}, {"delimiter": "\t"}])
def test_settings_at_the_edge_are_right(settings):
    assert single(**settings) != SINGLE


def test_a_task_names_its_splits_in_the_usual_order():
    assert single(source=Source(test="c", train="a")).splits == ("train", "test")
    assert single(source=Source(hub="glue")).splits == ("train", "dev", "test")


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (SINGLE, ("accuracy", "macro_f1")),
        (pair(), ("accuracy", "f1")),
        (score(), ("pearson", "spearman")),
        (pair(metrics=("matthews", "f1")), ("matthews", "f1")),
    ],
)
def test_metrics_are_those_of_the_label_unless_named(task, names):
    assert task.metric_names == names
    assert tuple(task.build_metrics()) == names


def test_metrics_are_fresh_each_time():
    assert SINGLE.build_metrics()["accuracy"] is not SINGLE.build_metrics()["accuracy"]


@pytest.mark.parametrize("name", ["source", "texts", "label", "encoding", "head", "weight", "num_classes"])
def test_no_field_of_a_task_can_be_set(name):
    with pytest.raises(FrozenInstanceError):
        setattr(SINGLE, name, None)


def test_an_example_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Example("0", ("x",), 1).label = 2


def test_equal_settings_make_equal_tasks():
    assert single() == single()
    assert single() != single(label="other")


def test_reading_settings_are_those_that_change_the_examples():
    before = single().reading_settings()
    for settings in (
        {"source": Source(train="x")},
        {"head": LinearHead},
        {"weight": 2.0},
        {"batch_size": 4},
        {"metrics": ("accuracy",)},
        {"prediction_header": "x"},
    ):
        assert single(**settings).reading_settings() == before
    for settings in (
        {"texts": ("b",)},
        {"label": "y"},
        {"id": "key"},
        {"delimiter": ";"},
        {"broken_rows": "skip"},
        {"num_classes": 4},
        {"num_classes": None, "classes": ("a", "b", "c")},
    ):
        assert single(**settings).reading_settings() != before
    assert pair().reading_settings() != pair(encoding="bi").reading_settings()


# Heads


@pytest.mark.parametrize(
    ("task", "head", "num_sequences"),
    [
        (SINGLE, LinearHead, 1),
        (single(num_classes=2), LinearHead, 1),
        (Regression(source=SOURCE, texts=("text",), label="y", low=0.0, high=1.0), LinearHead, 1),
        (pair(), LinearHead, 1),
        (score(), LinearHead, 1),
        (pair(encoding="bi"), ConcatProductHead, 2),
        (pair(encoding="bi", num_classes=3), ConcatProductHead, 2),
        (score(encoding="bi"), CosineHead, 2),
    ],
)
def test_the_usual_head_follows_encoding_and_label(task, head, num_sequences):
    built = task.build_head(16)
    assert type(built) is head
    assert built.num_sequences == task.num_sequences == num_sequences
    assert len(built(torch.zeros(3, num_sequences, 16))) == 3


@pytest.mark.parametrize(
    ("task", "head"),
    [
        (pair(encoding="bi", head=ProductHead), ProductHead),
        (score(encoding="bi", head=ProductHead), ProductHead),
        (score(encoding="bi", head=ConcatProductHead), ConcatProductHead),
        (pair(head=LinearHead), LinearHead),
    ],
)
def test_a_named_head_is_built(task, head):
    assert type(task.build_head(16)) is head


def test_a_head_may_be_given_with_its_settings():
    head = score(encoding="bi", head=partial(CosineHead, projection_size=4, dropout=0.1)).build_head(16)
    assert (head.project.out_features, head.dropout.p) == (4, 0.1)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            score(head=CosineHead),
            "PairRegression: CosineHead reads 2 vectors an example, but encoding cross gives 1 "
            "(this head goes with encoding: bi)",
        ),
        (
            pair(head=ConcatProductHead),
            "PairClassification: ConcatProductHead reads 2 vectors an example, but encoding cross gives 1 "
            "(this head goes with encoding: bi)",
        ),
        (
            single(head=ConcatProductHead),
            "Classification: ConcatProductHead reads 2 vectors an example, but encoding single gives 1 "
            "(this head goes with encoding: bi)",
        ),
        (
            pair(encoding="bi", head=LinearHead),
            "PairClassification: LinearHead reads 1 vector an example, but encoding bi gives 2 "
            "(this head goes with a single sentence or encoding: cross)",
        ),
        (
            pair(encoding="bi", num_classes=5, head=ProductHead),
            "PairClassification: ProductHead predicts yes/no labels or scores, but the task has classes",
        ),
        (
            pair(encoding="bi", head=CosineHead),
            "PairClassification: CosineHead predicts scores, but the task has yes/no labels",
        ),
    ],
)
def test_a_head_that_does_not_fit_is_an_error(task, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        task.build_head(16)


def test_a_head_knows_the_labels_of_its_task():
    assert single(num_classes=7).build_head(16)(torch.zeros(2, 1, 16)).shape == (2, 7)
    assert score(high=10.0).labels == Scores(0, 10)
    assert score(high=10.0).build_head(16)(torch.full((1, 1, 16), 1e6)).item() in (pytest.approx(0), pytest.approx(10))


# A task over a file of another shape


def test_a_new_task_needs_nothing_but_settings(tmp_path):
    (tmp_path / "nli.tsv").write_text(
        "pairID\tgold\tpremise\thypothesis\n"
        "7n\tneutral\tA man sleeps .\tA man dreams .\n"
        "8e\tentailment\tA dog runs .\tAn animal moves .\n"
    )
    task = PairClassification(
        source=Source(train="nli.tsv"),
        texts=("premise", "hypothesis"),
        label="gold",
        id="pairID",
        classes=("entailment", "neutral", "contradiction"),
        encoding="bi",
        metrics=("macro_f1", "accuracy"),
    )
    assert read(task, tmp_path) == [
        Example("7n", ("A man sleeps .", "A man dreams ."), 1),
        Example("8e", ("A dog runs .", "An animal moves ."), 0),
    ]
    head = task.build_head(16)
    output = head(torch.randn(2, 2, 16))
    assert output.shape == (2, 3)
    assert head.loss(output, torch.tensor([1, 0])).isfinite()
    assert task.format_label(head.predict(output)[0].item()) in task.class_names


def test_train_limit_draws_from_train_only(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text("text,label\n" + "".join(f"sentence {i},{i % 2}\n" for i in range(5)))
    source = Source(train="train.csv", dev="dev.csv")
    task = Classification(source=source, texts=("text",), label="label", num_classes=2, train_limit=2)
    drawn = [(example.id, example.texts[0]) for example in task.read("train", tmp_path, print)]
    assert drawn == [("1", "sentence 1"), ("2", "sentence 2")]
    assert len(list(task.read("dev", tmp_path, print))) == 5
    with pytest.raises(InputError, match="train_limit is 0"):
        Classification(source=source, texts=("text",), label="label", num_classes=2, train_limit=0)


def test_train_limit_reports_a_broken_row_that_it_would_leave_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n" + "a sentence,1\n" * 4 + "another,7\n")
    task = Classification(
        source=Source(train="train.csv"), texts=("text",), label="label", num_classes=2, train_limit=1
    )
    with pytest.raises(InputError, match="line 6: label is '7'"):
        list(task.read("train", tmp_path, print))


def test_quotes_false_takes_quotes_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tlabel\n"no end\t1\nhe said "no"\t0\n')
    task = Classification(source=Source(train="a.tsv"), texts=("text",), label="label", num_classes=2, quotes=False)
    assert [example.texts[0] for example in task.read("train", tmp_path, print)] == ['"no end', 'he said "no"']


def test_dev_limit_draws_from_dev_only(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text("text,label\n" + "".join(f"sentence {i},{i % 2}\n" for i in range(5)))
    task = single(source=Source(train="train.csv", dev="dev.csv"), dev_limit=2)
    assert [example.id for example in read(task, tmp_path, "dev")] == ["1", "2"]
    assert len(read(task, tmp_path)) == 5
    with pytest.raises(InputError, match="dev_limit is 0"):
        single(dev_limit=0)


# Objects that leave keys out, and cells that are no text


@pytest.mark.parametrize(
    ("first", "missing"), [({"label": 1}, "text"), ({"text": "a"}, "label"), ({"more": 1}, "text")], ids=str
)
def test_a_first_object_that_lacks_a_key_is_a_broken_row_like_any_other(first, missing, tmp_path):
    rows = [first, {"text": "good", "label": 2}, first]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = "a label" if missing == "label" else "text"
    source, message = Source(train="a.jsonl"), f"{missing} is empty (expected {expected})"
    notes: list[str] = []
    skipping = single(source=source, broken_rows="skip")
    assert [example.texts for example in skipping.read("train", tmp_path, notes.append)] == [("good",)]
    assert notes == [f"{tmp_path}/a.jsonl, line {line}: skipped, {message}" for line in (1, 3)]
    tail = EMPTY if missing == "label" else "is empty (expected text) (broken_rows: skip leaves such rows out)"
    fails(single(source=source), tmp_path, f"a.jsonl, line 1: {missing} {tail}")


def test_a_key_that_no_object_has_is_an_error_that_names_those_there_are(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"txt": "x", "label": 1}\n{"label": 1, "more": 2}\n')
    with pytest.raises(InputError, match=r"a.jsonl: no column 'text' \(found 'txt', 'label', 'more'\)"):
        read(single(source=Source(train="a.jsonl"), broken_rows="skip"), tmp_path)


@pytest.mark.parametrize("value", [["a", "b"], [], {"en": "a"}, {}], ids=str)
@pytest.mark.parametrize("column", ["text", "label", "key"])
def test_a_list_or_an_object_in_a_used_column_is_an_error_and_elsewhere_none(value, column, tmp_path):
    row = {"text": "good", "label": 1, "key": "k", "more": value}
    task = single(id="key", source=Source(train="a.jsonl"), broken_rows="skip")
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    assert read(task, tmp_path) == [Example("k", ("good",), 1)]
    (tmp_path / "a.jsonl").write_text(json.dumps({**row, column: value}) + "\n")
    kind = "an object" if isinstance(value, dict) else "a list"
    fails(task, tmp_path, f"a.jsonl, line 1: {column} is {kind} (expected a text, a number, true or false)")


def test_a_list_in_a_used_column_of_a_parquet_file_is_an_error(tmp_path):
    pq.write_table(pa.table({"text": [["a", "b"]], "label": [1]}), tmp_path / "a.parquet")
    message = "a.parquet, row 1: text is a list (expected a text, a number, true or false)"
    fails(single(source=Source(train="a.parquet")), tmp_path, message)


# Files without a header, of other encodings and endings


def test_columns_name_those_of_a_file_without_a_header(tmp_path):
    (tmp_path / "a.TSV").write_text("k1\t2\tgood, really\nk2\t0\tbad\n")
    task = single(source=Source(train="a.TSV", columns=("key", "label", "text")), id="key")
    assert read(task, tmp_path) == [Example("k1", ("good, really",), 2), Example("k2", ("bad",), 0)]


def test_delimiter_counts_for_text_files(tmp_path):
    (tmp_path / "a.txt").write_text("label|text\n2|good\n")
    assert read(single(source=Source(train="a.txt"), delimiter="|"), tmp_path) == [Example("0", ("good",), 2)]


def test_a_source_tells_the_encoding_of_its_files(tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\ncafé,2\n".encode("cp1252"))
    assert read(single(source=Source(train="a.csv", encoding="cp1252")), tmp_path) == [Example("0", ("café",), 2)]
    fails(
        single(source=Source(train="a.csv")),
        tmp_path,
        "a.csv, line 2: not UTF-8 text (invalid continuation byte; source.encoding names another)",
    )


def test_what_decides_how_bytes_become_rows_is_part_of_the_cache_key():
    tasks = [
        single(),
        single(source=Source(train="train.csv", columns=("text", "label"))),
        single(source=Source(train="train.csv", encoding="cp1252")),
        single(dev_limit=3),
    ]
    assert len({str(task.reading_settings()) for task in tasks}) == 4
    assert single(source=Source(train="b.csv")).reading_settings() == single().reading_settings()
