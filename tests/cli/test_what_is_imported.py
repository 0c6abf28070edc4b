"""Commands that only print or refuse import nothing heavy that is ours to leave out."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What Lightning imports by itself is not ours to decide: torch._dynamo, torchmetrics with scipy and matplotlib.
OURS = (
    *("analysis", "experiments", "shortcuts", "figures", "planning.making", "planning.output", "checks.running"),
    "inference.onnx_format",
)
OTHERS = (
    *("sklearn", "pandas", "datasets", "peft", "sentence_transformers", "onnx", "onnxruntime"),
    *("transformers.trainer", "transformers.pipelines"),
)
COMMANDS = (
    ["--help"],
    ["fit", "--config", "configs/quickstart.yaml", "--print_config"],
    ["fit", "--config", "configs/quickstart.yaml", "--trainer.max_epochz", "3"],
    ["fit", "--config", "configs/no-such-file.yaml"],
)
PROGRAM = f"""
import contextlib, io, json, runpy, sys
statuses = []
for arguments in {[list(command) for command in COMMANDS]!r}:
    sys.argv = ["train.py", *arguments]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            runpy.run_path("train.py", run_name="__main__")
        except SystemExit as end:
            statuses.append(end.code)
print(json.dumps([statuses, [name for name in {[*OURS, *OTHERS]!r} if name in sys.modules]]))
"""


def test_help_printing_and_refusing_import_nothing_of_a_training() -> None:
    """One process for all: what the first imports, the others have."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    statuses, imported = json.loads(done.stdout.splitlines()[-1])
    assert statuses == [0, 0, 2, 2]
    assert all(find_spec(name) is not None for name in OURS)
    assert imported == []
