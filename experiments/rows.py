"""Rows of a table, each its own training, described by the head of a file in a folder such as configs/paper/."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from experiments.settings import read_yaml
from tasks import InputError

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "configs" / "paper"
METHODS = ROOT / "configs" / "methods"
PRETRAINED = PAPER / "pretrained.yaml"
LAYERS = ("recipe", "scaled-down")  # files of a folder that are not rows


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        name: Name of its file without `.yaml`.
        table: Number of the paper's table; None if the row is not in the paper.
        title: What the row is.
        configs: The `-c` files in order; the last is the row's own.
        tasks: Names of its tasks.
        scores: The paper's dev scores by task, and their `mean` where the row has all three; empty without a table.
        against: Name of the row that it is compared with; None for a baseline.
    """

    name: str
    table: int | None
    title: str
    configs: tuple[Path, ...]
    tasks: tuple[str, ...]
    scores: Mapping[str, float]
    against: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """What the row is scored by: its tasks, and their `mean` if there are several."""
        return (*self.tasks, "mean") if len(self.tasks) > 1 else self.tasks

    @property
    def needs_pretrained(self) -> bool:
        """Whether the row starts from a further pre-trained backbone."""
        return PRETRAINED in self.configs

    def layers(self, recipe: Path | None) -> tuple[Path, ...]:
        """Return the `-c` files with a further file between `recipe.yaml` and the others.

        Args:
            recipe: The further file; None for none.
        """
        below = [path for path in self.configs if path.stem == "recipe"]
        above = [path for path in self.configs if path.stem != "recipe"]
        return (*below, *([recipe] if recipe else []), *above)


def read_rows(folder: Path = PAPER) -> dict[str, Row]:
    """Read every row of a folder, by name: in the order of the paper's tables, simple ones first.

    Args:
        folder: The folder.

    Raises:
        InputError: If the folder is missing or has no rows, the head of a file is not as `read_row` expects, or a
            row is compared with one that the folder lacks.
    """
    folder = folder.absolute()
    files = sorted(path for path in folder.glob("*.yaml") if path.stem not in LAYERS)
    if not files:
        raise InputError(f"{folder}: no rows (expected a folder of .yaml files such as configs/paper)")
    rows = [read_row(path) for path in files]
    names = {row.name for row in rows}
    for row in rows:
        if row.against is not None and row.against not in names:
            raise InputError(f"{row.configs[-1]}: is compared with {row.against} (expected a row of its folder)")
    rows.sort(key=lambda row: (row.table or 0, row.against is not None, len(row.configs), row.name))
    return {row.name: row for row in rows}


def choose_rows(names: Sequence[str], rows: Mapping[str, Row]) -> list[Row]:
    """Return the named rows, or all of them for `all`, in the order asked for.

    Args:
        names: The names.
        rows: All rows of a folder.

    Raises:
        InputError: If a name is not that of a row.
    """
    for name in names:
        if name not in (*rows, "all"):
            raise InputError(f"--rows {name}: no such row (expected all, or some of {', '.join(rows)})")
    return list(rows.values()) if "all" in names else [rows[name] for name in dict.fromkeys(names)]


def read_row(path: Path) -> Row:
    r"""Read the comment that a row's file opens with.

    It reads as follows; a line that ends in a backslash continues on the next one, paths start at the repository:

        # python train.py fit -c configs/paper/recipe.yaml -c configs/paper/b2.yaml --data.root DIR
        # Table 1: second heads (B2), one task after the other
        # Paper: sst .4441, quora .7884, sts .6829, mean .6384
        # Compare with: b1

    A row that is not in the paper has `# Method: …` instead of the second and third line.

    Raises:
        InputError: If the command, the table with its scores or the method is missing, the command's last file is not
            this one, one of its files is missing, or none of them names tasks.
    """
    comment = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    text = "\n".join(comment).replace("\\\n", " ")
    command = re.search(r"^python train\.py fit (.+)$", text, re.M)
    title = re.search(r"^(?:Table (\d)|Method): (.+)$", text, re.M)
    scores = re.search(r"^Paper: (.+)$", text, re.M)
    against = re.search(r"^Compare with: (\S+)$", text, re.M)
    if not (command and title) or bool(title[1]) != bool(scores):
        raise InputError(
            f"{path}: its head lacks a command, `Table N: …` with `Paper: …`, or `Method: …` alone (see read_row)"
        )
    words = shlex.split(command[1])
    configs = tuple(ROOT / word for flag, word in pairwise(words) if flag == "-c")
    if not configs or configs[-1] != path:
        raise InputError(f"{path}: the last -c file of its command is another one (expected {path.name})")
    pairs = [part.split() for part in scores[1].split(", ")] if scores else []
    return Row(
        name=path.stem,
        table=int(title[1]) if title[1] else None,
        title=title[2],
        configs=configs,
        tasks=_find_tasks(configs),
        scores={name: float(value) for name, value in pairs},
        against=against[1] if against else None,
    )


def _find_tasks(configs: Sequence[Path]) -> tuple[str, ...]:
    """Name the tasks of the last file that has some: it replaces those of the files below."""
    for path in configs:
        if not path.is_file():
            raise InputError(f"{configs[-1]}: no such file: {path} (expected the -c files of its command)")
    for path in reversed(configs):
        tasks = read_yaml(path).get("tasks")
        if tasks:
            return tuple(tasks)
    raise InputError(f"{configs[-1]}: no file of its command names tasks")
