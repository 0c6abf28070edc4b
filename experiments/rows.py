"""Rows that a folder such as configs/paper/ describes, each by the comment that its file opens with."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from experiments.row import Row, index_rows
from experiments.settings import find_tasks
from runtime.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "configs" / "paper"
METHODS = ROOT / "configs" / "methods"
PRETRAINED = PAPER / "pretrained.yaml"
LAYERS = ("recipe", "scaled-down")  # files of a folder that are not rows


def read_rows(folder: Path = PAPER) -> dict[str, Row]:
    """Read every row of a folder, by name: in the order of the paper's tables, simple ones first.

    Args:
        folder: The folder.

    Raises:
        InputError: If the folder is missing or has no rows, the head of a file is not as `read_row` expects, or a
            row does not lead back to a baseline of the folder.
    """
    folder = folder.resolve()
    files = sorted(path for path in folder.glob("*.yaml") if path.stem not in LAYERS)
    if not files:
        raise InputError(f"{folder}: no rows (expected a folder of .yaml files such as configs/paper)")
    rows = [read_row(path) for path in files]
    rows.sort(key=lambda row: (row.table or 0, row.against is not None, len(row.configs), row.name))
    return index_rows(rows)


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
        title=title[2],
        configs=configs,
        tasks=_name_tasks(configs),
        against=against[1] if against else None,
        origin=str(path),
        table=int(title[1]) if title[1] else None,
        scores={name: float(value) for name, value in pairs},
    )


def needs_pretrained(row: Row) -> bool:
    """Whether a row starts from a further pre-trained backbone."""
    return PRETRAINED in row.configs


def lay_recipe(row: Row, recipe: Path | None) -> tuple[Path, ...]:
    """Return a row's `-c` files with a further file between `recipe.yaml` and the others.

    Args:
        row: The row.
        recipe: The further file; None for none.
    """
    below = [path for path in row.configs if path.stem == "recipe"]
    above = [path for path in row.configs if path.stem != "recipe"]
    return (*below, *([recipe] if recipe else []), *above)


def _name_tasks(configs: Sequence[Path]) -> tuple[str, ...]:
    for path in configs:
        if not path.is_file():
            raise InputError(f"{configs[-1]}: no such file: {path} (expected the -c files of its command)")
    tasks = find_tasks(configs)
    if not tasks:
        raise InputError(f"{configs[-1]}: no file of its command names tasks")
    return tuple(tasks)
