import pytest
from rich.table import Table

from runtime.terminal import plain_console


def wide_table() -> Table:
    table = Table()
    for column in range(6):
        table.add_column(f"column {column}")
    table.add_row(*["cannot be told apart"] * 6)
    return table


def test_a_table_in_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    plain_console().print(wide_table())
    assert capsys.readouterr().out.count("cannot be told apart") == 6


def test_columns_say_how_wide_a_pipe_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    plain_console().print(wide_table())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 70
