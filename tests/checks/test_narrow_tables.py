"""Tables on a terminal of the usual width."""

import pytest
from rich.console import Console

from checks.lengths import Lengths
from checks.printing import lengths_table
from checks.running import Checked, SplitNumbers

HEADINGS = ["task", "split", "median", "95 %", "most", "cut", "lost", "1 %", "0.1 %", "[UNK]"]


@pytest.mark.parametrize("name", ["sst", "paraphrase", "a_task_whose_name_is_long_for_a_table"])
def test_no_heading_of_the_lengths_is_cut_at_80_columns(name: str):
    lengths = Lengths(
        median=27, p95=61, longest=511, cut=1204, lost=98_120, tokens=10**6, cuts_one_percent=97,
        cuts_one_in_thousand=240,
    )  # fmt: skip
    numbers = SplitNumbers(rows=141_506, labels={}, constant=None, lengths=lengths, unknown=0.0001)
    console = Console(record=True, width=80)
    console.print(lengths_table(Checked([], {name: {"train": numbers}}, {})))
    printed = console.export_text().splitlines()
    assert [cell.strip() for cell in printed[2].strip("┃").split("┃")] == HEADINGS
    assert "".join(line.split("│")[1].strip() for line in printed if "│" in line) == name
    assert not any("…" in line for line in printed)
