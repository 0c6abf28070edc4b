"""A table of text cells: on a terminal, as Markdown, or as a block of a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table as RichTable
from rich.text import Text

LONGEST_NAME = 32  # characters


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: What it shows.
        columns: Column heads, [columns].
        rows: Cells, [rows][columns].
        num_text_columns: Columns from the left that hold text; the others hold numbers.
        note: How to read it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    num_text_columns: int = 1
    note: str = ""
    kind: Literal["table"] = "table"

    def to_rich(self) -> RichTable:
        """Return the table for a terminal; cells are text, never markup.

        A name in the first column stays on its line; a sentence there is wrapped, or the others had no room.
        """
        table = RichTable(title=Text(self.title), title_justify="left", caption=Text(self.note) if self.note else None)
        is_name = max((len(row[0]) for row in self.rows), default=0) <= LONGEST_NAME
        for number, column in enumerate(self.columns):
            is_text = number < self.num_text_columns
            table.add_column(Text(column), justify="left" if is_text else "right", no_wrap=number == 0 and is_name)
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def to_markdown(self) -> str:
        r"""Return the table as Markdown, under its title.

        Example:
            >>> print(Table("Scores", ("row", "mean"), [("a|b", ".5")]).to_markdown())
            **Scores**
            <BLANKLINE>
            | row | mean |
            | --- | ---: |
            | a\|b | .5 |
            <BLANKLINE>
        """
        rule = ["---" if number < self.num_text_columns else "---:" for number in range(len(self.columns))]
        heads, *cells = [[cell.replace("|", "\\|") for cell in line] for line in (self.columns, *self.rows)]
        lines = [f"| {' | '.join(line)} |" for line in (heads, rule, *cells)]
        return "\n".join([f"**{self.title}**", "", *lines, ""])
