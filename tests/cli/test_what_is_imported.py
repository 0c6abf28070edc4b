"""Commands that only print or refuse import nothing heavy that is ours to leave out."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.analysis.written import predict_all, write_data, write_run
from tests.cli.command_line import CS224N, QUICK, CommandLine

ROOT = Path(__file__).resolve().parent.parent.parent
# What Lightning imports by itself is not ours to decide: torch._dynamo, torchmetrics with scipy and matplotlib.
OURS = (
    *("analysis", "experiments", "shortcuts", "figures", "planning.making", "planning.output", "checks.running"),
    "inference.onnx_format",
)
OTHERS = (
    *("sklearn", "pandas", "datasets", "peft", "sentence_transformers", "onnx", "onnxruntime"),
    *("transformers.trainer", "transformers.trainer_utils", "transformers.pipelines"),
)
HEAVY = ("torch", "numpy", "scipy", "pyarrow", "matplotlib", "transformers", "lightning", "jinja2", "jsonargparse")
COMMANDS = (
    ["--help"],
    ["fit", "--config", "configs/quickstart.yaml", "--print_config"],
    ["fit", "--config", "configs/quickstart.yaml", "--trainer.max_epochz", "3"],
    ["fit", "--config", "configs/no-such-file.yaml"],
)
PROGRAM = """
import contextlib, io, json, os, runpy, sys
sys.path.insert(0, os.getcwd())
commands, names = json.loads(sys.argv[1])
statuses = []
for program, *arguments in commands:
    sys.argv = [program, *arguments]
    run = runpy.run_path if program.endswith(".py") else runpy.run_module
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            run(program, run_name="__main__")
            statuses.append(0)
        except SystemExit as end:
            statuses.append(end.code)
print(json.dumps([statuses, [name for name in names if name in sys.modules]]))
"""


def run_and_list(commands: list[list[str]], names: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Return the exit statuses of commands, and which of some modules are imported after all of them.

    One process for all: what one imports, the others have.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([commands, names])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    statuses, imported = json.loads(done.stdout.splitlines()[-1])
    return statuses, imported


def commands_of(*folders: str) -> list[str]:
    """Return the modules of some folders that `python -m` runs."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).glob("*.py"))]
    return [
        f"{path.parent.name}.{path.stem}" for path in paths if 'if __name__ == "__main__"' in path.read_text("utf-8")
    ]


def test_help_printing_and_refusing_import_nothing_of_a_training() -> None:
    statuses, imported = run_and_list([["train.py", *command] for command in COMMANDS], (*OURS, *OTHERS))
    assert statuses == [0, 0, 2, 2]
    assert all(find_spec(name) is not None for name in OURS)
    assert imported == []


def test_commands_read_their_options_before_they_import_anything_heavy() -> None:
    modules = commands_of("analysis", "experiments", "inference")
    assert len(modules) > 15
    more = [["experiments.transfer", "--estimate", "runs/none", "--help"]]
    wrong = [
        ["experiments.compare", "--row", "a=-c configs/cs224n.yaml", "--seeds", "0"],
        ["experiments.tune", "search.yaml", "--budget", "minutes=5"],
        ["analysis.forgotten", "runs/none", "--task", "sst", "--output", "a.csv", "--ordinary", "2"],
        ["inference.export", "runs/none", "a", "--format", "backbone", "--tasks", "sst"],
    ]
    helps = [[module, "--help"] for module in modules]
    typos = [[module, "--no_such_flag"] for module in modules]
    statuses, imported = run_and_list([*helps, *more, *typos, *wrong], (*HEAVY, *OTHERS))
    assert statuses == [*([0] * len([*helps, *more])), *([2] * len([*typos, *wrong]))]
    assert imported == []


def test_a_training_from_kept_tokens_imports_no_data_frames_and_no_adapters(train: CommandLine) -> None:
    train("fit")
    again = ["train.py", "fit", "-c", str(CS224N), *train.tiny, *QUICK]
    statuses, imported = run_and_list([[*again, "--trainer.logger.save_dir", str(train.folder)]], OTHERS)
    assert (statuses, imported) == ([0], [])


def test_a_report_of_runs_imports_neither_lightning_nor_models(tmp_path: Path) -> None:
    write_data(tmp_path / "data")
    run = write_run(tmp_path / "run", tmp_path / "data", predict_all(s2="3", t3="4.5"), drawn={})
    command = ["analysis.report", str(run), str(run), "--output", str(tmp_path / "page.html")]
    names = ("lightning", "backbones", "transformers.modeling_utils")  # torchmetrics imports transformers by itself
    assert run_and_list([command], names) == ([0], [])
    assert "Sampler plan" in (tmp_path / "page.html").read_text("utf-8")
