"""No file that a user reads is ever half written."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from analysis.json_file import write_json
from analysis.page import write_report
from analysis.run import Run
from analysis.written_run import write_run
from benchmarks.output import write_json as write_benchmarks
from command_line.parser import Parser
from experiments.results import publish
from runtime.version import ROOT
from tasks import InputError, Sst
from tasks.prediction_files import write_handin, write_predictions
from tests.analysis.written import predict_all, write_data
from tests.analysis.written import write_run as write_trained
from tests.test_imports import python_files

IN_PLACE = re.compile(r"""\.write_(text|bytes)\(|\.open\((encoding=[^,]*, *)?["'](w|x)|\bopen\([^()]*["'](w|x)b?["']""")
# Files inside a folder that appears only when whole; logs; and what only developers run.
ELSEWHERE = {
    "analysis/making_texts.py": "in new_folder",
    "analysis/written_run.py": "in replacing_folder",
    "inference/onnx_format.py": "in new_folder",
    "datamodules/encoding.py": "in partial_folder",
    "runtime/whole_files.py": "the writers themselves",
    "sample_data/generate.py": "made again in a second",
    "experiments/fit_parser.py": "in TemporaryDirectory",
}
DEVELOPERS = ("tests", "benchmarks", "docs")

STORE: Any = SimpleNamespace(task=Sst(), id=str)
ROWS = np.arange(2)


def write_predicted(folder: Path) -> None:
    write_predictions(folder / "sst-dev.csv", STORE, ROWS, np.array([0, 1]))


def write_handed_in(folder: Path) -> None:
    write_handin(folder, "dev", STORE, ROWS, np.array([0, 1]))


def write_results(folder: Path) -> None:
    publish(folder, ["a note"], [], [], {}, Console(quiet=True))


def write_page(folder: Path) -> None:
    root = folder.parent / "data"
    write_data(root)
    run = folder.parent / "run"
    write_report([run if run.exists() else write_trained(run, root, predict_all())], folder / "page.html")


def write_numbers(folder: Path) -> None:
    write_json(folder / "report.json", {"a": 1.0})


def write_measured(folder: Path) -> None:
    write_benchmarks(folder / "bench.json", {}, {})


def write_settings(folder: Path) -> None:
    parser = Parser()
    parser.add_argument("--a", type=int)
    parser.save(parser.parse_args(["--a", "1"]), folder / "config.yaml", overwrite=True, multifile=False)


WRITERS = [write_predicted, write_handed_in, write_results, write_page, write_numbers, write_measured, write_settings]


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_leaves_the_file_that_was_there(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "out"
    folder.mkdir()
    write(folder)
    files = sorted(folder.iterdir())
    assert files
    for path in files:
        path.write_text("earlier")
    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises((OSError, InputError), match="No space left"):
        write(folder)

    assert sorted(folder.iterdir()) == files
    assert {path.read_text() for path in files} == {"earlier"}


def test_a_run_that_no_training_made_appears_only_when_whole(tmp_path: Path) -> None:
    write_data(tmp_path / "data")
    run = Run(write_trained(tmp_path / "run", tmp_path / "data", predict_all()))
    found = {"sst": run.read_predictions("sst", "dev")}
    with pytest.raises(TypeError, match="serializable"):
        write_run(tmp_path / "both", found, split="dev", config="", report={"bad": {1, 2}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run"]
    write_run(tmp_path / "both", found, split="dev", config="", report={})
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == ["config.yaml", "predictions", "report.json"]


def test_no_file_of_a_user_is_written_in_place() -> None:
    ours = [path for path in python_files() if path.parts[0] not in DEVELOPERS]
    assert len(ours) > 300
    in_place = {str(path) for path in ours if IN_PLACE.search((ROOT / path).read_text(encoding="utf-8"))}
    assert in_place == set(ELSEWHERE)
