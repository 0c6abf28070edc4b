"""One row of a comparison: a configuration that is trained once per seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.errors import InputError


@dataclass(frozen=True)
class Row:
    """One row of a table: what `train.py fit` is given, and the row that it is compared with.

    Args:
        name: Its name in the table, and of the folder of its runs.
        title: What the row is.
        configs: The `-c` files in order, as absolute paths.
        tasks: Names of its tasks.
        against: Name of the row that it is compared with; None for a baseline.
        origin: Where the row is described, for messages.
        flags: Its flags of train.py, which come after the files.
        table: Number of the paper's table; None if the row is not in the paper.
        scores: The paper's dev scores by task, and their `mean` where the row has all three; empty without a table.
    """

    name: str
    title: str
    configs: tuple[Path, ...]
    tasks: tuple[str, ...]
    against: str | None
    origin: str
    flags: tuple[str, ...] = ()
    table: int | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


def index_rows(rows: Sequence[Row]) -> dict[str, Row]:
    """Return rows by name, each of which leads back to a baseline.

    Raises:
        InputError: If two rows have the same name, a row is compared with one that is not there, or rows are compared
            with each other in a circle.
    """
    found: dict[str, Row] = {}
    for row in rows:
        if row.name in found:
            raise InputError(
                f"{row.origin}: the name {row.name} appears twice, first in {found[row.name].origin} "
                "(expected a different name for each row)"
            )
        found[row.name] = row
    for row in rows:
        if row.against is not None and row.against not in found:
            raise InputError(
                f"{row.origin}: is compared with {row.against}, which is no row (expected one of {', '.join(found)})"
            )
    for row in rows:
        seen = [row.name]
        while (against := found[seen[-1]].against) is not None:
            if against in seen:
                raise InputError(
                    f"{row.origin}: is compared in a circle, {' with '.join([*seen, against])} (expected a baseline "
                    "at the end)"
                )
            seen.append(against)
    return found
