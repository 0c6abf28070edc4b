"""`python train.py` in this process, and what its run folders hold."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import MultitaskCLI, run
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from runtime.run_folders import run_name

ROOT = Path(__file__).resolve().parent.parent.parent
CS224N = ROOT / "configs" / "cs224n.yaml"
TASKS = {"sst": ("accuracy", "macro_f1"), "quora": ("accuracy", "f1"), "sts": ("pearson", "spearman")}
COLUMNS = {"sst": "Predicted_Sentiment", "quora": "Predicted_Is_Paraphrase", "sts": "Predicted_Similarity"}
FILES = {"sst": "ids-sst", "quora": "quora", "sts": "sts"}
QUICK = ["--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false"]
EPOCHS = ["--trainer.limit_train_batches", "1", "--trainer.enable_progress_bar", "false"]  # of a step each


class CommandLine:
    """`python train.py`, in this process and in a folder of its own.

    Args:
        folder: The working folder; runs lie in `runs/` there.
        tiny: Flags that make every training a tiny one.
    """

    def __init__(self, folder: Path, tiny: list[str]) -> None:
        self.folder = folder
        self.tiny = tiny

    def __call__(self, subcommand: str, *flags: object, config: Path | None = CS224N, quick: bool = True) -> Path:
        """Run a command and give the folder of the newest run of the configuration."""
        chosen = [] if config is None else ["-c", str(config)]
        self.raw(subcommand, *chosen, *self.tiny, *(QUICK if quick else []), *map(str, flags))
        kind = "version" if subcommand == "fit" else subcommand
        return self.newest("default" if config is None else run_name([str(config)]), kind)

    def raw(self, *arguments: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["train.py", *arguments])
            run(MultitaskCLI, MultitaskModule, MultitaskDataModule)

    def newest(self, name: str, kind: str = "version") -> Path:
        folders = (self.folder / "runs" / name).glob(f"{kind}_*")
        return max(folders, key=lambda path: int(path.name.removeprefix(f"{kind}_")))

    def refuse(self, *arguments: object, **options: Any) -> None:
        """Run a command that ends with exit status 2."""
        with pytest.raises(SystemExit) as ended:
            self(*map(str, arguments), **options)
        assert ended.value.code == 2


def read_report(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "report.json").read_text()))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def best_checkpoint(folder: Path) -> Path:
    (path,) = (folder / "checkpoints").glob("best*.ckpt")
    return path


def ids_of(root: Path, task: str, split: str = "dev") -> list[str]:
    with (root / f"{FILES[task]}-{split}.csv").open(newline="") as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t")]
