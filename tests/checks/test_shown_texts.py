"""Texts as they are shown and judged: what is no damage, and what a folder's name is not taken out of."""

import io
from pathlib import Path

from rich.console import Console

from checks.finding import Finding, Instance
from checks.oddities import Oddities
from checks.printing import print_checked
from checks.running import Checked


def test_the_folder_is_left_out_of_file_names_and_of_nothing_else() -> None:
    example = Instance(
        "data/dev.csv, line 2", ("see data/ml or big data/ai",), "also data/train.csv, line 7: yes, here no"
    )
    finding = Finding(
        check="leak", level="error", task="films", split="dev", count=1, total=4, what="are in train too", advice="see",
        examples=[example],
    )  # fmt: skip
    console = Console(width=140, record=True, file=io.StringIO(), markup=False)
    print_checked(Checked([finding], {}, {}), Path("data"), console)
    assert (
        "    dev.csv, line 2: see data/ml or big data/ai  [also train.csv, line 7: yes, here no]\n"
        in console.export_text()
    )


def test_the_line_ends_of_another_system_inside_a_cell_are_no_control_characters() -> None:
    """A tokenizer reads them as white space."""
    found = Oddities([])
    found.count([("first\r\nsecond",), ("page\x0cbreak",)])
    assert dict(found.counts) == {"control characters": 1}
    assert dict(found.first) == {"control characters": [1]}
