"""Exports of small trained runs, used by other libraries in processes that do not see this repository."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from inference import Predictor
from inference.parity import answer_dev, read_dev

TAUGHT = {"encoding": "bi", "in_mean": False, "teacher": {"task": "same"}}
PAIR_TASKS: dict[str, Any] = {
    "tasks": {
        "sst": "Sst",
        "quora": {"class_path": "Quora", "init_args": TAUGHT},
        "sts": {"class_path": "Sts", "init_args": {"encoding": "bi"}},
        "same": {"class_path": "Quora", "init_args": {"encoding": "cross"}},
        "near": {"class_path": "Sts", "init_args": {"encoding": "cross"}},
    },
    "trainer__max_epochs": 1,
}


PRINTED = """
import contextlib, io, json, sys
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(sys.argv[1])
print(json.dumps(printed.getvalue()))
"""


def run_elsewhere(code: str, folder: Path, *arguments: str) -> Any:
    """Run Python code in a folder without this repository on its path; it prints JSON."""
    guard = "import importlib.util; assert importlib.util.find_spec('inference') is None; "
    ended = subprocess.run(
        [sys.executable, "-I", "-c", guard + code, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def run_card(folder: Path, place: Path) -> str:
    """Run the Python of an export's card in another folder, and return what it prints."""
    code = re.search("```python\\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)
    assert code is not None
    return str(run_elsewhere(PRINTED, place, code[1]))


def dev_answers(run: Path, root: Path) -> tuple[dict[str, list[tuple[str, ...]]], dict[str, list[Any]]]:
    """Return the texts of each task's dev split, and the checkpoint's probabilities or scores by answer."""
    predictor = Predictor.load(run)
    splits = {name: read_dev(task, root, most_rows=1000) for name, task in predictor.tasks.items()}
    answers = answer_dev(predictor, splits)
    return {name: list(split.texts) for name, split in splits.items()}, {k: v.tolist() for k, v in answers.items()}
