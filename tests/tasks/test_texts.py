import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks import Classification, InputError, Quora, Source, Sst, Texts


def read(texts: Texts, root: Path) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the train texts and what was reported."""
    reported: list[str] = []
    return list(texts.read_texts("train", root, reported.append)), reported


def test_a_txt_file_gives_one_stripped_text_a_line_without_blank_ones(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes("\ufeffa cat\r\n\n   \n  ünï 😀 \t\nlast".encode())

    rows, reported = read(Texts(source=Source(train="own.txt")), tmp_path)

    assert rows == [("a cat",), ("ünï 😀",), ("last",)]
    assert reported == []


def test_two_columns_give_pairs_and_an_empty_cell_is_reported(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text('q,a\n"one, two",b\nc,\n , d\ne,f\n')

    rows, reported = read(Texts(source=Source(train="pairs.csv"), texts=("q", "a")), tmp_path)

    assert rows == [("one, two", "b"), ("e", "f")]
    assert reported == [
        f"{tmp_path / 'pairs.csv'}, line 3: skipped, a is empty",
        f"{tmp_path / 'pairs.csv'}, line 4: skipped, q is empty",
    ]


@pytest.mark.parametrize(
    ("name", "content", "delimiter"),
    [
        ("texts.tsv", "n\ttext\n1\ta b\n2\tc\n", None),
        ("texts.csv", "n;text\n1;a b\n2;c\n", ";"),
        ("texts.jsonl", '{"n": 1, "text": "a b"}\n{"text": "c"}\n', None),
    ],
)
def test_every_file_format_gives_the_same_texts(tmp_path: Path, name: str, content: str, delimiter: str | None) -> None:
    (tmp_path / name).write_text(content)

    assert read(Texts(source=Source(train=name), delimiter=delimiter), tmp_path) == ([("a b",), ("c",)], [])


def test_a_folder_in_hub_layout_gives_its_train_split_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    hub = tmp_path / "hub"
    hub.mkdir()
    for split, text in (("train", "good film"), ("validation", "poison"), ("test", "poison")):
        (hub / f"{split}.jsonl").write_text(json.dumps({"sentence": text}) + "\n")

    rows, _ = read(Texts(source=Source(hub=str(hub)), texts=("sentence",)), tmp_path / "nowhere")

    assert rows == [("good film",)]


def test_a_task_gives_its_texts_though_its_labels_are_missing_or_wrong(tmp_path: Path) -> None:
    (tmp_path / "ids-sst-train.csv").write_text("\tid\tsentence\n0\tx\t the cat \n1\tx\tthe dog\n")
    (tmp_path / "quora-train.csv").write_text(
        "\tid\tsentence1\tsentence2\tis_duplicate\n0\tx\ta\tb\tno label\n1\tx\tc\td\t\n2\ty\te\n"
    )
    reported: list[str] = []

    assert list(Sst().read_texts("train", tmp_path, reported.append)) == [("the cat",), ("the dog",)]
    assert reported == []
    assert list(Quora().read_texts("train", tmp_path, reported.append)) == [("a", "b"), ("c", "d")]
    assert reported == [f"{tmp_path / 'quora-train.csv'}, line 4: skipped, sentence2 is empty"]


def test_a_key_that_a_later_row_lacks_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x", "y": 1}\n{"y": 1}\n{"text": "z"}\n')

    rows, reported = read(Texts(source=Source(train="a.jsonl")), tmp_path)

    assert rows == [("x",), ("z",)]
    assert reported == [f"{tmp_path / 'a.jsonl'}, line 2: skipped, text is empty"]


def test_broken_rows_of_a_task_are_an_error_unless_it_skips_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x", "y": 1}\n{"y": 1}\n')
    task = Classification(source=Source(train="a.jsonl"), texts=("text",), label="y", num_classes=2)

    with pytest.raises(InputError, match=r"a\.jsonl, line 2: text is empty \(broken_rows: skip leaves such rows out\)"):
        list(task.read_texts("train", tmp_path, print))
    assert list(replace(task, broken_rows="skip").read_texts("train", tmp_path, print)) == [("x",)]


def test_the_other_text_of_a_broken_pair_is_given_alone_on_demand(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("q,a\nb,c\nd,\n,e\n,\n")
    texts = Texts(source=Source(train="pairs.csv"), texts=("q", "a"))

    assert list(texts.read_texts("train", tmp_path, print, keep_halves=True)) == [("b", "c"), ("d",), ("e",)]


def test_train_limit_gives_the_texts_of_the_examples_that_it_draws(tmp_path: Path) -> None:
    lines = [f" text {number} ,{number % 2}" for number in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,y", *lines[:5], ",1", *lines[5:], "unlabelled,"]) + "\n")
    settings: dict[str, Any] = {"texts": ("text",), "label": "y", "num_classes": 2, "broken_rows": "skip"}
    task = Classification(source=Source(train="a.csv"), train_limit=7, **settings)

    texts = list(task.read_texts("train", tmp_path, print))

    assert len(texts) == 7
    assert texts == [(example.texts[0].strip(),) for example in task.read("train", tmp_path, print)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": Source()}, "Texts: source is empty"),
        ({"source": Source(train="a.csv"), "texts": ()}, r"Texts: texts names 0 columns \(expected 1 or 2\)"),
        ({"source": Source(train="a.csv"), "texts": ("a", "b", "c")}, r"Texts: texts names 3 columns"),
        (
            {"source": Source(train="a.csv"), "delimiter": "\\t"},
            r"Texts: delimiter is '\\\\t' \(expected one character; a tab is .*, \$'\\t' in a shell\)",
        ),
        ({"source": Source(train="a.csv"), "delimiter": ""}, r"Texts: delimiter is ''"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Texts(**arguments)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "one\ttext\nx\ty\n", r"a\.csv: no column 'text' \(found 'one\\ttext'; if .* set delimiter\)"),
        ("a.csv", "text,text\nx,y\n", r"a\.csv: two columns are named 'text' \(expected one\)"),
        ("a.jsonl", '{"txt": "x"}\n{"txt": "y"}\n', r"a\.jsonl: no column 'text' \(found 'txt'"),
        ("a.txt", "x\n\xff\n", r"a\.txt, line 2: not UTF-8 text"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))

    with pytest.raises(InputError, match=message):
        read(Texts(source=Source(train=name)), tmp_path)


def test_a_missing_file_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.txt: no such file \(the train split; relative paths start from"):
        read(Texts(source=Source(train="no.txt")), tmp_path)
