"""The shipped searches."""

import json
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from experiments.tune import main

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "tune"
SEARCHES = sorted(FOLDER.glob("*.yaml"))


def read_command(path: Path, root: Path, output: Path) -> list[str]:
    """Return the arguments of the command that a file opens with, with a folder of data and another output."""
    lines = takewhile(lambda line: line.startswith("#"), path.read_text().splitlines())
    words = [line.lstrip("# ") for line in lines]
    ends = next(number for number, line in enumerate(words) if not line.endswith("\\"))
    program, _, command, *rest = shlex.split(" ".join(line.rstrip("\\") for line in words[: ends + 1]))
    assert (program, command) == ("python", "experiments.tune")
    rest[0] = str(path)
    rest[rest.index("--data.root") + 1], rest[rest.index("--output") + 1] = str(root), str(output)
    return rest


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_the_command_of_each_search_says_what_it_would_train(path, cs224n_root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER.parents[1])
    words = read_command(path, cs224n_root, tmp_path / "out")
    cut = words.index("--")
    assert main([*words[:cut], "--dry-run", *words[cut:]]) == 0
    cost, *commands = capsys.readouterr().out.splitlines()
    assert cost.startswith("each of 1 recipe: 18 x 60 steps, 6 x 180 steps, 2 x 540 steps x 2 seeds; 4,320 steps")
    assert len(commands) == 18
    assert len(set(commands)) == 18


def test_there_is_a_search():
    assert [path.stem for path in SEARCHES] == ["cs224n"]


@pytest.mark.slow
@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_each_search_runs(path, cs224n_root, word_backbone, tmp_path, monkeypatch):
    monkeypatch.chdir(FOLDER.parents[1])
    output = tmp_path / "out"
    words = [str(path), "--data.root", str(cs224n_root), "--backbone", str(word_backbone), "--output", str(output)]
    words += ["--candidates", "2", "--rungs", "1", "--seeds", "1", "--budget", "steps=2", "--"]
    words += ["--trainer.check_val_every_n_epoch", "100"]
    assert (
        main([*words, "--data.max_length", "32", "--data.cache_dir", str(tmp_path), "--trainer.accelerator", "cpu"])
        == 0
    )
    assert set(json.loads((output / "results.json").read_text())) >= {"recipes", "differences"}
    assert (output / "minilm.yaml").is_file()
