"""The rows of the paper's tables: the head of each file in configs/paper/ says its command and the paper's scores."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tasks import InputError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "configs" / "paper"
RECIPE = FOLDER / "recipe.yaml"
PRETRAINED = FOLDER / "pretrained.yaml"
LAYERS = ("recipe", "scaled-down")  # files of the folder that are no rows
METRICS = {"sst": "accuracy", "quora": "accuracy", "sts": "pearson"}


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's tables.

    Args:
        name: Name of its file without `.yaml`.
        table: Number of the paper's table.
        title: What the row is.
        configs: The `-c` files in order; the last is the row's own.
        scores: The paper's dev scores by task, and their `mean` where the row has all three.
        against: Name of the row that it is compared with; None for a baseline.
    """

    name: str
    table: int
    title: str
    configs: tuple[Path, ...]
    scores: Mapping[str, float]
    against: str | None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the row's tasks."""
        return tuple(name for name in self.scores if name != "mean")

    @property
    def needs_pretrained(self) -> bool:
        """Whether the row starts from a further pre-trained backbone."""
        return PRETRAINED in self.configs


def read_paper_rows() -> dict[str, PaperRow]:
    """Read every row, by name, in the order of the paper's tables.

    Raises:
        InputError: If the head of a file is not as `read_paper_row` expects.
    """
    files = sorted(path for path in FOLDER.glob("*.yaml") if path.stem not in LAYERS)
    rows = [read_paper_row(path) for path in files]
    return {row.name: row for row in sorted(rows, key=lambda row: (row.table, len(row.configs), row.name))}


def choose_rows(names: list[str]) -> list[PaperRow]:
    """Give the named rows, or all of them for `all`, in the order asked for.

    Raises:
        InputError: If there is no row of a name.
    """
    rows = read_paper_rows()
    for name in names:
        if name not in (*rows, "all"):
            raise InputError(f"--rows {name}: no such row (expected all, or some of {', '.join(rows)})")
    return list(rows.values()) if "all" in names else [rows[name] for name in dict.fromkeys(names)]


def read_paper_row(path: Path) -> PaperRow:
    r"""Read the comment that a row's file opens with.

    It reads as follows; a line that ends in a backslash goes on in the next one:

        # python train.py fit -c configs/paper/recipe.yaml -c configs/paper/b2.yaml --data.root DIR
        # Table 1: second heads (B2), one task after the other
        # Paper: sst .4441, quora .7884, sts .6829, mean .6384
        # Compare with: b1

    Raises:
        InputError: If the command, the table or the scores are missing, or the command's last file is not this one.
    """
    comment = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    text = "\n".join(comment).replace("\\\n", " ")
    command = re.search(r"^python train\.py fit (.+)$", text, re.M)
    table = re.search(r"^Table (\d): (.+)$", text, re.M)
    scores = re.search(r"^Paper: (.+)$", text, re.M)
    against = re.search(r"^Compare with: (\S+)$", text, re.M)
    if not (command and table and scores):
        raise InputError(f"{path}: its head lacks a command, `Table N: …` or `Paper: …` (see read_paper_row)")
    words = shlex.split(command[1])
    configs = tuple(ROOT / word for flag, word in pairwise(words) if flag == "-c")
    if not configs or configs[-1] != path:
        raise InputError(f"{path}: the last -c file of its command is another one (expected {path.name})")
    pairs = [part.split() for part in scores[1].split(", ")]
    return PaperRow(
        name=path.stem,
        table=int(table[1]),
        title=table[2],
        configs=configs,
        scores={name: float(value) for name, value in pairs},
        against=against[1] if against else None,
    )
