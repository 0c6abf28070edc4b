from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from heads import Classes, ConcatProductHead, CosineHead, LinearHead, Scores, YesNo
from tasks import Example, InputError, Quora, Sst, Sts

PRESETS = [Sst(), Quora(), Sts()]


def read(task: Sst | Quora | Sts, root: Path, split: str) -> tuple[list[Example], list[str]]:
    """Return the examples of a split and the reports of its skipped rows, without the folder."""
    reports: list[str] = []
    examples = list(task.read(split, root, reports.append))
    return examples, [report.removeprefix(f"{root}/") for report in reports]


# CS224N's format: tabs in a .csv, a leading column without a name, ids of 25 digits


def test_sst_is_read_from_its_files(tmp_path):
    (tmp_path / "ids-sst-train.csv").write_text(
        "\tid\tsentence\tsentiment\n"
        "0\tffa4528fcff75a0f4fc8b0e6b\t The Rock is destined to be `` Conan '' , -LRB- 21st -RRB- .\t3\n"
        "1\t6f9fba96d8f2f1a4b4e2f6c1a\tsingin' , \"and\" dancin'\t4\n"
    )
    examples, reports = read(Sst(), tmp_path, "train")
    assert examples == [
        Example("ffa4528fcff75a0f4fc8b0e6b", (" The Rock is destined to be `` Conan '' , -LRB- 21st -RRB- .",), 3),
        Example("6f9fba96d8f2f1a4b4e2f6c1a", ("singin' , \"and\" dancin'",), 4),
    ]
    assert reports == []


def test_test_files_have_two_columns_of_row_numbers_and_no_label(tmp_path):
    (tmp_path / "ids-sst-test-student.csv").write_text(
        "0\t\tid\tsentence\n1\t0.0\t6a2fd4b1a6f2f0ca9e0c0b1a2\tEffective but too-tepid biopic\n"
    )
    (tmp_path / "sts-test-student.csv").write_text("\t\tid\tsentence1\tsentence2\n0\t5.0\tk1\ta b\tc d\n")
    (tmp_path / "quora-test-student.csv").write_text("\tid\tsentence1\tsentence2\n0\tk2\tHow ?\tWhy ?\n")
    sst, _ = read(Sst(), tmp_path, "test")
    assert sst == [Example("6a2fd4b1a6f2f0ca9e0c0b1a2", ("Effective but too-tepid biopic",), None)]
    assert read(Sts(), tmp_path, "test") == ([Example("k1", ("a b", "c d"), None)], [])
    assert read(Quora(), tmp_path, "test") == ([Example("k2", ("How ?", "Why ?"), None)], [])


def test_quora_labels_are_written_as_decimals(tmp_path):
    (tmp_path / "quora-dev.csv").write_text(
        "\tid\tsentence1\tsentence2\tis_duplicate\n0\tk0\tHow ?\tWhy ?\t0.0\n1\tk1\tWho , me ?\tMe ?\t1.0\n"
    )
    examples, _ = read(Quora(), tmp_path, "dev")
    assert examples == [Example("k0", ("How ?", "Why ?"), 0), Example("k1", ("Who , me ?", "Me ?"), 1)]
    assert {type(example.label) for example in examples} == {int}


def test_quora_questions_keep_one_level_of_quotes(tmp_path):
    (tmp_path / "quora-dev.csv").write_text(
        "\tid\tsentence1\tsentence2\tis_duplicate\n"
        '0\tk0\t"""What is """"this""""?"""\t"What is\nthat, ""really""?"\t0.0\n'
        "1\tk1\tHow ?\tWhy ?\t1.0\n"
    )
    examples, reports = read(Quora(), tmp_path, "dev")
    assert examples[0].texts == ('"What is ""this""?"', 'What is\nthat, "really"?')
    assert examples[1] == Example("k1", ("How ?", "Why ?"), 1)
    lines = "1 row over several lines, the first at line 2"
    assert reports == [f"quora-dev.csv: {lines} (quotes: false if quotes are text)"]


def test_broken_quora_rows_are_skipped_and_reported_by_line(tmp_path):
    (tmp_path / "quora-dev.csv").write_text(
        "\tid\tsentence1\tsentence2\tis_duplicate\n"
        '0\tk0\t"two\nlines ?"\tWhy ?\t1.0\n'
        "1\tad118c967d683c93883bf072d\tHow ?\tWhy\t\n"
        "2\t9054345d02cd6c5642a4904dc\tHow ?\n"
        "3\tk3\tWho ?\tWhom ?\t0.0\n"
    )
    examples, reports = read(Quora(), tmp_path, "dev")
    assert [(example.id, example.label) for example in examples] == [("k0", 1), ("k3", 0)]
    assert reports == [
        "quora-dev.csv, line 4: skipped, is_duplicate is empty (expected a label)",
        "quora-dev.csv, line 5: skipped, sentence2 is empty (expected text)",
        "quora-dev.csv: 1 row over several lines, the first at line 2 (quotes: false if quotes are text)",
    ]


def test_sts_labels_are_never_cut_to_integers(tmp_path):
    cells = ["3.8", "4.999", "0.75", "5.0", "0", "2.2000000000000002"]
    rows = "".join(f"{number}\tk{number}\ta b\tc d\t{cell}\n" for number, cell in enumerate(cells))
    (tmp_path / "sts-train.csv").write_text("\tid\tsentence1\tsentence2\tsimilarity\n" + rows)
    examples, _ = read(Sts(), tmp_path, "train")
    assert [example.label for example in examples] == [3.8, 4.999, 0.75, 5.0, 0.0, 2.2]


@pytest.mark.parametrize(
    ("task", "file", "header", "cells", "message"),
    [
        (Sst(), "ids-sst-dev.csv", "id\tsentence\tsentiment", "k\tx\t5", r"sentiment is '5' \(expected 0 to 4\)"),
        (
            Quora(),
            "quora-dev.csv",
            "id\tsentence1\tsentence2\tis_duplicate",
            "k\tx\ty\t0.5",
            r"is_duplicate is '0.5' \(expected 0 or 1\)",
        ),
        (
            Sts(),
            "sts-dev.csv",
            "id\tsentence1\tsentence2\tsimilarity",
            "k\tx\ty\t5.1",
            r"similarity is '5.1' \(expected a number from 0 to 5\)",
        ),
    ],
)
def test_a_label_out_of_range_is_an_error(task, file, header, cells, message, tmp_path):
    (tmp_path / file).write_text(f"\t{header}\n0\t{cells}\n")
    with pytest.raises(InputError, match=rf"{file}, line 2: {message}$"):
        read(task, tmp_path, "dev")


def test_a_file_with_commas_comes_with_a_hint(tmp_path):
    (tmp_path / "sts-dev.csv").write_text("id,sentence1,sentence2,similarity\nk,x,y,3\n")
    with pytest.raises(InputError, match=r"sts-dev.csv: no column 'sentence1' .*several names in one, set delimiter"):
        read(Sts(), tmp_path, "dev")


# Settings


def test_every_preset_reads_the_shared_files(cs224n_root):
    assert len(PRESETS) == 3
    for task in PRESETS:
        for split in task.splits:
            examples, reports = read(task, cs224n_root, split)
            assert len(examples) == 12
            assert reports == []
            assert all((example.label is None) == (split == "test") for example in examples)


@pytest.mark.parametrize(
    ("task", "labels", "metrics", "header"),
    [
        (Sst(), Classes(5), ("accuracy", "macro_f1"), "Predicted_Sentiment"),
        (Quora(), YesNo(), ("accuracy", "f1"), "Predicted_Is_Paraphrase"),
        (Sts(), Scores(0, 5), ("pearson", "spearman"), "Predicted_Similarity"),
    ],
)
def test_labels_metrics_and_prediction_header(task, labels, metrics, header):
    assert (task.labels, task.metric_names, task.prediction_header) == (labels, metrics, header)
    assert (task.splits, task.weight, task.broken_rows) == (("train", "dev", "test"), 1.0, "skip")


def test_pairs_are_cross_encoded_with_a_linear_head_by_default():
    for task in PRESETS:
        assert type(task.build_head(16)) is LinearHead
    assert type(Quora(encoding="bi").build_head(16)) is ConcatProductHead
    assert type(Sts(encoding="bi").build_head(16)) is CosineHead


def test_the_files_of_a_preset_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Sst().source.train = "other.csv"


def test_a_test_row_without_text_is_kept_with_a_note(tmp_path):
    content = "\tid\tsentence\n0\tx0\tgood film\n1\t x1 \t \n2\tx2\n3\tx3\tbad film\n"
    (tmp_path / "ids-sst-test-student.csv").write_text(content)
    examples, reports = read(Sst(), tmp_path, "test")
    assert [example.id for example in examples] == ["x0", "x1", "x2", "x3"]
    assert [example.texts[0].strip() for example in examples] == ["good film", "", "", "bad film"]
    assert reports == [
        f"ids-sst-test-student.csv, line {line}: kept, sentence is empty (expected text)" for line in (3, 4)
    ]
