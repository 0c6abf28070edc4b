import pytest

from tasks import InputError, Quora
from tasks.chosen_rows import find_rows

IDS = ["a", "b", "c, d", "e"]


def test_rows_are_found_by_id_in_the_order_of_the_split(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('id,reason\ne,forgotten\n"c, d",x\na,y\na,again\n')
    assert find_rows("quora", str(path), IDS).tolist() == [0, 2, 3]
    found = Quora(train_rows=str(path)).find_train_rows("quora", IDS)
    assert found is not None
    assert found.tolist() == [0, 2, 3]
    assert Quora().find_train_rows("quora", IDS) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\na\n", r"rows\.csv: its columns are name \(expected a column id\)"),
        ("", r"rows\.csv: is empty \(expected a header line\)"),
        ("id\n", r"rows\.csv: names no row"),
        ("id\na\nz\n", r"rows\.csv, line 3: id is 'z' \(expected that of a training example of quora\)"),
    ],
)
def test_a_file_of_something_else_is_refused(text, message, tmp_path):
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        find_rows("quora", str(tmp_path / "rows.csv"), IDS)


def test_a_file_that_an_editor_or_a_spreadsheet_has_saved_is_read(tmp_path):
    """With a byte order mark, carriage returns and blank lines."""
    (tmp_path / "rows.csv").write_bytes("\ufeffid,reason\r\n\r\ne,x\r\n\r\n".encode())
    assert find_rows("quora", str(tmp_path / "rows.csv"), IDS).tolist() == [3]


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "rows.csv").write_bytes("id\né\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"rows\.csv, line 2: not UTF-8 text \(.*; expected UTF-8\)$"):
        find_rows("quora", str(tmp_path / "rows.csv"), IDS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"task quora: train_rows .*none\.csv: no such file"):
        find_rows("quora", str(tmp_path / "none.csv"), IDS)
