from rich.console import Console

from analysis.table import Table

TABLE = Table("Scores of [b]", ("task", "[i]metric", "score"), [("[b]a", "x|y", "1")], num_text_columns=2, note="n[b]")


def test_text_of_the_user_is_never_markup():
    console = Console(width=80)
    with console.capture() as captured:
        console.print(TABLE.to_rich())
    assert all(text in captured.get() for text in ("Scores of [b]", "[i]metric", "[b]a", "x|y", "n[b]"))


def test_a_bar_in_a_cell_is_no_column():
    assert TABLE.to_markdown().splitlines()[2:] == [
        "| task | [i]metric | score |",
        "| --- | --- | ---: |",
        "| [b]a | x\\|y | 1 |",
    ]


def test_a_sentence_in_the_first_column_leaves_room_for_the_numbers():
    sentence = "variance of the run's predictions that word overlap alone tells"
    table = Table(
        "Shortcut",
        ("", "value", "95 % interval", "with fewer", "n"),
        [(sentence, "0.512", "0.470 to 0.551", "0.4", "863")],
    )
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table.to_rich())
    assert "0.470 to 0.551" in captured.get()
    assert "…" not in captured.get()
