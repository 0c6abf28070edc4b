import csv
import datetime
import decimal
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.file_digest import digest
from tasks import InputError, MissingFileError, Source
from tasks.hub import load_hub
from tasks.rows import FileFormat, Row
from tasks.rows import read_rows as read_columns
from tasks.text_lines import TextEncoding

EVERY_PLANE = "".join(chr(plane * 0x10000 + 0x4E2D) for plane in range(17))
AWKWARD = [
    EVERY_PLANE,
    "cafe\u0301 \u202eright to left\u202c 👩\u200d👧 \ufeff\u2028\x85",
    "null",
    "NA",
    "None",
    "nan",
    "true",
    "007",
    "1e5",
    '=HYPERLINK("http://example.org", "click")',
    "@SUM(A1:A9)",
    "-1+1",
    "  spaces at both ends  ",
    'he said "no"',
    '"',
    '""',
    "tab\there",
    "two\nlines",
    "windows\r\nlines",
    "old\rlines",
    "back\\slash \\n \\t",
    "a" * 200_000,
]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read_rows(path: Path, *, report=lambda note: None, encoding="utf-8", **layout) -> Iterator[Row]:
    """Return the rows of a file with all their cells."""
    return read_columns(path, None, layout=FileFormat(encoding=TextEncoding(encoding), **layout), report=report)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, delimiter: str | None = None) -> list[dict[str, str | None]]:
    return [dict(row.fields) for row in read_rows(path, delimiter=delimiter)]


def places(path: Path, delimiter: str | None = None) -> list[str]:
    """Return line or row of each row."""
    found = [row.where.removeprefix(f"{path}, ") for row in read_rows(path, delimiter=delimiter)]
    assert all(place.startswith(("line ", "row ")) for place in found)
    return found


def fails(path: Path, message: str, delimiter: str | None = None) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(str(path) + message)}"):
        read(path, delimiter)


# Delimited files


@pytest.mark.parametrize(("name", "between"), [("a.csv", ","), ("a.tsv", "\t")])
def test_the_ending_tells_the_delimiter(name, between, tmp_path):
    path = write(tmp_path / name, f"text{between}label\ngood film{between}1\n")
    assert read(path) == [{"text": "good film", "label": "1"}]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", " "])
def test_a_given_delimiter_wins_over_the_ending(delimiter, tmp_path):
    path = write(tmp_path / "a.csv", f"text{delimiter}label\ngood,film{delimiter}1\n")
    assert read(path, delimiter) == [{"text": "good,film", "label": "1"}]


def test_quoted_cells_hold_delimiters_quotes_and_line_ends(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n"x, y","he said ""no""\nand left"\n')
    assert read(path) == [{"a": "x, y", "b": 'he said "no"\nand left'}]


def test_a_quote_inside_a_cell_stands_for_itself(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\nthe 5" disk,6 feet 2"\n')
    assert read(path) == [{"a": 'the 5" disk', "b": '6 feet 2"'}]


def test_a_row_stands_on_the_line_where_it_starts(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\nx,1\n"two\nlines",2\n\n\ny,3\n"three\n\nlines",4\nz,5')
    assert places(path) == ["line 2", "line 3", "line 7", "line 8", "line 11"]


def test_short_rows_lack_their_last_cells(tmp_path):
    assert read(write(tmp_path / "a.csv", "a,b,c\n1\n1,2\n")) == [
        {"a": "1", "b": None, "c": None},
        {"a": "1", "b": "2", "c": None},
    ]


def test_long_rows_are_an_error(tmp_path):
    fails(write(tmp_path / "a.csv", "a,b\n1,2\none, two,2\n"), ", line 3: has 3 cells (expected 2 as in the header)")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_line_ends_and_blank_lines_leave_no_trace(ends, mark, tmp_path):
    lines = ["", "text,label", "", "good,1", "bad,0", "", ""]
    path = write(tmp_path / "a.csv", mark + ends.join(lines))
    assert read(path) == [{"text": "good", "label": "1"}, {"text": "bad", "label": "0"}]
    assert places(path) == ["line 4", "line 5"]


def test_a_byte_order_mark_inside_the_file_is_text(tmp_path):
    assert read(write(tmp_path / "a.csv", "a,b\n\ufeffx,\ufeff\n")) == [{"a": "\ufeffx", "b": "\ufeff"}]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_an_empty_file_is_an_error(name, content, tmp_path):
    fails(write(tmp_path / name, content), ": is empty (expected a header line)")


def test_a_header_alone_gives_no_rows(tmp_path):
    assert read(write(tmp_path / "a.csv", "text,label\n")) == []
    assert read(write(tmp_path / "b.csv", "text,label")) == []


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"a,b\nx,1\ncaf\xe9,2\n", 3, "invalid continuation byte"),
        ("a,b\nx,1\n".encode("utf-16"), 1, "invalid start byte"),
        (b"a,b\n\xed\xa0\x80,1\n", 2, "invalid continuation byte"),  # half of a surrogate pair
        (b"a,b\nx,\xf0\x9f", 2, "unexpected end of data"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_bytes_that_are_not_utf8_are_named_with_their_line(name, content, line, reason, tmp_path):
    content = content.replace(b"a,b\n", b"{}\n").replace(b"x,1\n", b"{}\n") if name == "a.jsonl" else content
    fails(write(tmp_path / name, content), f", line {line}: not UTF-8 text ({reason}; source.encoding names another)")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_nul_byte_is_an_error(name, tmp_path):
    content = '{"a": 1}\n{"a": "x\0y"}\n' if name == "a.jsonl" else "a,b\nx\0y,1\n"
    fails(write(tmp_path / name, content), ", line 2: holds a NUL byte (expected text)")


def test_utf16_without_a_mark_is_an_error(tmp_path):
    fails(write(tmp_path / "a.csv", "a,b\n".encode("utf-16-le")), ", line 1: holds a NUL byte (expected text)")


def test_a_quote_that_swallows_the_rest_of_the_file_is_an_error(tmp_path):
    path = write(tmp_path / "a.tsv", 'a\tb\nx\t1\n"Well" he said\t2\n"Hello\t3\ny\t4\nz\t5\n')
    fails(path, ', line 4: a quote that is never closed (write " as "" in a cell)')


def test_a_quote_that_swallows_rows_is_an_error(tmp_path):
    lines = ["id\ttext\tlabel", '1\t"Hello there\t0', "2\tfine\t1", '3\tgood"\t1', "4\tx\t0", ""]
    path = write(tmp_path / "a.tsv", "\n".join(lines))
    fails(path, ", line 2: a quote encloses several rows (expected quotes: false where quotes are text, or")
    assert len(list(read_rows(path, delimiter=None, quotes=False))) == 4


def test_rows_that_span_several_lines_are_counted(tmp_path):
    notes: list[str] = []
    path = write(tmp_path / "a.csv", 'a,b\nx,1\n"two, or\nthree",2\n\ny,3\n"three\n\nlines",4\n')
    assert len(list(read_rows(path, delimiter=None, report=notes.append))) == 4
    message = "2 rows over several lines, the first at line 3 (quotes: false if quotes are text)"
    assert notes == [f"{path}: {message}"]


def test_a_file_without_such_rows_has_no_note(tmp_path):
    notes: list[str] = []
    path = write(tmp_path / "a.csv", '\n\na,b\n\n"x, y",1\n\n')
    assert len(list(read_rows(path, delimiter=None, report=notes.append))) == 1
    assert notes == []


def test_a_carriage_return_inside_a_line_is_an_error(tmp_path):
    fails(write(tmp_path / "c.txt", "x\r\ny\rz\n"), ", line 2: a carriage return inside a line (expected LF or CRLF)")
    fails(write(tmp_path / "a.csv", "a,b\nx,1\ny\rz,2\n"), ", line 3: a carriage return inside a line (expected LF or")
    fails(write(tmp_path / "b.csv", "a,b\rx,1\ry,2\r"), ", line 1: a carriage return inside a line")


def test_columns_named_twice_are_marked(tmp_path):
    (row,) = read_rows(write(tmp_path / "a.csv", ",,text,label,text\n0,1,x,y,z\n"), delimiter=None)
    assert row.repeated == {"", "text"}


def test_a_file_is_read_lazily(tmp_path):
    rows = read_rows(write(tmp_path / "a.csv", b"a,b\n1,2\n" + b"x,1\n" * 100_000 + b"\xff"), delimiter=None)
    assert isinstance(rows, Iterator)
    assert next(rows).fields == {"a": "1", "b": "2"}


# Plain lines


def test_lines_of_a_text_file_are_the_column_text(tmp_path):
    path = write(tmp_path / "a.txt", '\ufeffone, "two"\r\n\n  three\tfour  \nnull')
    assert read(path) == [{"text": 'one, "two"'}, {"text": "three\tfour"}, {"text": "null"}]
    assert places(path) == ["line 1", "line 3", "line 4"]


# JSON lines


def test_json_values_become_text(tmp_path):
    fields = {"text": "x", "int": 3, "float": 3.5, "whole": 4.0, "bool": True, "none": None}
    path = write(tmp_path / "a.jsonl", json.dumps(fields) + "\n")
    expected = {"text": "x", "int": "3", "float": "3.5", "whole": "4.0", "bool": "true", "none": None}
    assert read(path) == [expected]


def test_blank_lines_between_json_objects_are_left_out(tmp_path):
    path = write(tmp_path / "a.jsonl", '\ufeff{"a": "1"}\r\n\r\n  \n{"a": "2"}\n\n')
    assert read(path) == [{"a": "1"}, {"a": "2"}]
    assert places(path) == ["line 1", "line 4"]


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", " \r\n\r\n"])
def test_an_empty_json_file_is_an_error(content, tmp_path):
    fails(write(tmp_path / "a.jsonl", content), ": is empty (expected JSON objects)")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'a': 1}", "not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ('{"a": 1} {"a": 2}', "not JSON (Extra data at column 10)"),
        ("text", "not JSON (Expecting value at column 1)"),
        ('["a"]', "holds a JSON list (expected an object)"),
        ('"a"', "holds a JSON str (expected an object)"),
        ("3", "holds a JSON int (expected an object)"),
        (r'{"a": "cut \ud83d"}', "a holds half of a surrogate pair (expected whole characters)"),
        (r'{"a": "cut \uDE00"}', "a holds half of a surrogate pair (expected whole characters)"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' appears twice (expected plain JSON)"),
        (f'{{"a": {"1" * 5000}}}', "Exceeds the limit (4300 digits) for integer string conversion: value has 5000"),
        (f'{{"a": {"[" * 100_000}{"]" * 100_000}}}', "is nested too deeply (expected plain JSON)"),
    ],
)
def test_lines_that_are_no_json_object(line, message, tmp_path):
    fails(write(tmp_path / "a.jsonl", '{"a": "1"}\n' + line + "\n"), f", line 2: {message}")


def test_a_number_that_is_none_is_empty(tmp_path):
    assert read(write(tmp_path / "a.jsonl", '{"a": NaN, "b": "é"}')) == [{"a": None, "b": "é"}]


def test_escaped_characters_are_whole(tmp_path):
    assert read(write(tmp_path / "a.jsonl", r'{"a": "\ud83d\ude00 \u00e9"}')) == [{"a": "😀 é"}]


def test_an_unused_value_of_an_object_may_be_anything(tmp_path):
    path = write(tmp_path / "a.jsonl", r'{"text": "x", "raw": "cut \ud83d", "tree": {"a": [1]}}')
    (row,) = read_columns(path, ["text"])
    assert row.fields == {"text": "x", "raw": None, "tree": None}


def test_columns_are_looked_for_in_the_first_thousand_objects(tmp_path):
    lines = ['{"a": 1}'] * 998 + ['{"b": 2}', '{"a": 3, "c": 4}', '{"d": 5}']
    rows = list(read_columns(write(tmp_path / "a.jsonl", "\n".join(lines)), ["a", "b", "d"]))
    assert (rows[0].fields, rows[998].fields) == ({"a": "1", "b": None, "c": None}, {"a": None, "b": "2", "c": None})
    assert rows[1000].fields == {"a": None, "b": None, "c": None, "d": "5"}


# A JSON list


def test_a_json_file_holds_a_list_or_an_object_a_line(tmp_path):
    objects = [{"a": "1"}, {"a": "2", "b": [1]}]
    for content in (json.dumps(objects), json.dumps(objects, indent=2), "\ufeff\n" + json.dumps(objects)):
        path = write(tmp_path / "a.json", content)
        assert [row.fields for row in read_columns(path, ["a"])] == [{"a": "1"}, {"a": "2", "b": None}]
        assert places(path := write(tmp_path / "b.json", '[{"a": 1}, {"a": 2}]')) == ["row 1", "row 2"]
    path = write(tmp_path / "a.json", "".join(json.dumps(each) + "\n" for each in objects))
    assert [row.where for row in read_columns(path, ["a"])] == [f"{path}, line 1", f"{path}, line 2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", ": is empty (expected JSON objects)"),
        ("", ": is empty (expected JSON objects)"),
        ('[{"a": 1}, 3]', ", row 2: holds a JSON int (expected an object)"),
        ('[{"a": 1},\n {"a": }]', ": not JSON (Expecting value at line 2 column 8)"),
        (
            '{\n "a": [1]\n}',
            ", line 1: not JSON (Expecting property name enclosed",
        ),
    ],
)
def test_json_files_that_are_no_list_of_objects(content, message, tmp_path):
    fails(write(tmp_path / "a.json", content), message)


# Other encodings and endings, no header


@pytest.mark.parametrize("name", ["a.CSV", "a.Txt", "a.JSONL", "a.JSON"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "shift_jis"])
def test_files_in_other_encodings_and_endings_in_capitals(name, encoding, tmp_path):
    word = "日本" if encoding == "shift_jis" else "café"
    header = "" if name == "a.Txt" else "text\n"
    content = f'{{"text": "{word}"}}\n' if "JSON" in name else f"{header}{word}\n"
    path = write(tmp_path / name, content.encode(encoding))
    assert [row.fields for row in read_rows(path, encoding=encoding)] == [{"text": word}]


def test_bytes_that_are_no_text_of_the_encoding(tmp_path):
    path = write(tmp_path / "a.csv", b"text\nfine\n\x81\xff\n")
    with pytest.raises(InputError, match=r"a\.csv, after line 0: not shift_jis text \('shift_jis' codec can't decode"):
        list(read_rows(path, encoding="shift_jis"))


def test_columns_of_files_without_a_header(tmp_path):
    path = write(tmp_path / "a.csv", "1,good\n0\n")
    rows = list(read_rows(path, columns=("label", "text")))
    assert [row.fields for row in rows] == [{"label": "1", "text": "good"}, {"label": "0", "text": None}]
    assert [row.where for row in rows] == [f"{path}, line 1", f"{path}, line 2"]
    lines = write(tmp_path / "a.txt", "good\nbad\n")
    assert [row.fields["sentence"] for row in read_rows(lines, columns=("sentence",))] == ["good", "bad"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "1,good,x\n", ", line 1: has 3 cells (expected 2 as source.columns)"),
        ("a.csv", "label,text\n1,x\n", ", line 1: is a header (expected no source.columns where the file names them)"),
        ("a.csv", "", ": is empty (expected rows)"),
        ("a.txt", "x\n", ": source.columns names 2 columns (expected one, or a delimiter)"),
        ("a.jsonl", "{}\n", ": names its columns itself (expected source.columns for .csv, .tsv and .txt alone)"),
    ],
)
def test_columns_that_do_not_fit_the_file(name, content, message, tmp_path):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=f"^{re.escape(str(path) + message)}$"):
        list(read_rows(path, columns=("label", "text")))


# Parquet


def test_parquet_values_become_text(tmp_path):
    columns = {
        "text": ["x", None],
        "int": [3, 4],
        "float": [3.5, None],
        "bool": [True, False],
        "money": [decimal.Decimal("1.50"), None],
        "day": [datetime.date(2024, 2, 29), None],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [
        {"text": "x", "int": "3", "float": "3.5", "bool": "true", "money": "1.50", "day": "2024-02-29"},
        {"text": None, "int": "4", "float": None, "bool": "false", "money": None, "day": None},
    ]
    assert places(tmp_path / "a.parquet") == ["row 1", "row 2"]


def test_binary_cells_of_a_parquet_file_are_utf8_text(tmp_path):
    pq.write_table(pa.table({"text": pa.array(["café".encode(), None], pa.binary())}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [{"text": "café"}, {"text": None}]
    pq.write_table(pa.table({"text": pa.array([b"x", b"\xff"], pa.binary())}), tmp_path / "b.parquet")
    fails(tmp_path / "b.parquet", ", row 2: text is not UTF-8 text (invalid start byte)")


def test_text_of_a_parquet_file_that_is_not_utf8_is_an_error(tmp_path):
    offsets = pa.array([0, 2], pa.int32()).buffers()[1]
    broken = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(b"\xff\xfe"))
    pq.write_table(pa.table({"text": broken}), tmp_path / "a.parquet")
    fails(tmp_path / "a.parquet", ", rows 1 to 1: text is not UTF-8 text (invalid start byte)")


def test_columns_of_a_parquet_file_named_twice_are_marked_and_nan_is_empty(tmp_path):
    columns = [pa.array(["x"]), pa.array(["y"]), pa.array([float("nan")])]
    pq.write_table(pa.table(columns, names=["t", "t", "y"]), tmp_path / "a.parquet")
    (row,) = read_rows(tmp_path / "a.parquet", delimiter=None)
    assert (row.repeated, row.fields["y"]) == ({"t"}, None)


def test_rows_are_numbered_through_all_row_groups(tmp_path):
    pq.write_table(pa.table({"a": [str(number) for number in range(7)]}), tmp_path / "a.parquet", row_group_size=3)
    assert [fields["a"] for fields in read(tmp_path / "a.parquet")] == list("0123456")
    assert places(tmp_path / "a.parquet")[-1] == "row 7"


@pytest.mark.parametrize(
    "content", [b"", b"text,label\nx,1\n", b"PAR1" + b"\0" * 40 + b"PAR1"], ids=["empty", "csv", "hollow"]
)
def test_a_file_that_is_no_parquet(content, tmp_path):
    fails(write(tmp_path / "a.parquet", content), ": not a Parquet file (")


def test_damaged_parquet_pages_are_an_error(tmp_path):
    pq.write_table(pa.table({"a": [str(number) for number in range(1000)]}), tmp_path / "a.parquet")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:200] = b"\xff" * 196
    fails(write(tmp_path / "a.parquet", bytes(content)), ": not a Parquet file (")


def test_columns_of_a_parquet_file_that_nobody_uses_do_no_harm(tmp_path):
    far = pa.array([10**18], pa.timestamp("us"))
    odd_zone = pa.array([0], pa.timestamp("us", tz="Mars/Olympus"))
    columns = {"bytes": [b"\xff\xfe"], "far": far, "zone": odd_zone, "uuid": pa.array([b"0" * 16], pa.uuid())}
    broken = pa.StringArray.from_buffers(1, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe"))
    table = pa.table({**columns, "other": broken, "list": [[1]], "text.en": ["no"], "text": ["yes"]})
    pq.write_table(table, tmp_path / "a.parquet")
    (row,) = read_columns(tmp_path / "a.parquet", ["text", "label"])
    assert {name: cell for name, cell in row.fields.items() if cell is not None} == {"text": "yes"}
    assert list(row.fields) == table.column_names
    for column in ("far", "zone", "bytes", "other", "list"):
        with pytest.raises(InputError, match=rf"^{re.escape(str(tmp_path))}/a\.parquet, rows? 1[^:]*: {column} "):
            list(read_columns(tmp_path / "a.parquet", ["text", column]))


def test_a_parquet_file_without_any_of_the_columns_still_tells_its_columns(tmp_path):
    pq.write_table(pa.table({"sentence": ["a", "b"]}), tmp_path / "a.parquet")
    assert [row.fields for row in read_columns(tmp_path / "a.parquet", ["text"])] == [{"sentence": None}] * 2


# Texts come back as they were written


def write_csv(path: Path, rows: list[str], delimiter: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([["number", "text"], *enumerate(rows)])
    return path


def write_json(path: Path, rows: list[str], *, ascii_only: bool) -> Path:
    lines = [json.dumps({"number": str(n), "text": text}, ensure_ascii=ascii_only) for n, text in enumerate(rows)]
    return write(path, "\n".join(lines) + "\n")


def write_parquet(path: Path, rows: list[str]) -> Path:
    pq.write_table(pa.table({"number": [*map(str, range(len(rows)))], "text": rows}), path)
    return path


def all_formats(folder: Path, rows: list[str]) -> list[tuple[Path, str | None]]:
    return [
        (write_csv(folder / "a.csv", rows, ","), None),
        (write_csv(folder / "a.tsv", rows, "\t"), None),
        (write_csv(folder / "b.csv", rows, ";"), ";"),
        (write_json(folder / "a.jsonl", rows, ascii_only=True), None),
        (write_json(folder / "b.jsonl", rows, ascii_only=False), None),
        (write_parquet(folder / "a.parquet", rows), None),
    ]


def test_awkward_texts_come_back_unchanged_from_every_format(tmp_path):
    cases = all_formats(tmp_path, AWKWARD)
    assert {path.suffix for path, _ in cases} == {".csv", ".tsv", ".jsonl", ".parquet"}
    for path, delimiter in cases:
        assert [fields["text"] for fields in read(path, delimiter)] == AWKWARD, path.name


@given(rows=st.lists(texts.filter(lambda text: not {"\t", "\n"} <= set(text)), min_size=1, max_size=5))
def test_any_texts_come_back_unchanged_from_every_format(rows, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    for path, delimiter in all_formats(folder, rows):
        expected = [{"number": str(number), "text": text} for number, text in enumerate(rows)]
        assert read(path, delimiter) == expected, path.name


# The value that names the files


def test_sources_that_are_right():
    hub = Source(hub="glue", name="sst2", dev="validation")
    for source in (Source(train="a"), Source(dev="a", test="b"), hub, Source(hub="a/b.c", train="train[:5%]")):
        source.check("Sst")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(), "Sst: source is empty (expected all, train, dev or test with a file, or hub with a dataset)"),
        (Source(train="a", name="sst2"), "Sst: source.name is 'sst2' without source.hub (expected a hub dataset)"),
        (Source(train="a", columns=()), "Sst: source.columns is [] (expected one or more different names)"),
        (Source(train="a", columns=("x", "x")), "Sst: source.columns is ['x', 'x'] (expected one or more different"),
        (Source(train="a", encoding="utf-9"), "Sst: source.encoding is 'utf-9' (expected utf-8, cp1252, ...)"),
        (
            Source(hub="x", test="a.CSV"),
            "Sst: source.test is 'a.CSV' beside source.hub x (expected the name of a split",
        ),
    ],
)
def test_sources_that_are_wrong(source, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        source.check("Sst")


def test_relative_paths_start_from_the_root(tmp_path, monkeypatch):
    inside = write(tmp_path / "a.csv", "x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Source(train="a.csv").locate("train", tmp_path) == inside
    assert Source(train=str(inside)).locate("train", Path("/elsewhere")) == inside
    assert Source(train="~/a.csv").locate("train", Path("/elsewhere")) == inside
    assert Source(hub="glue").locate("train", tmp_path) is None


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none.csv", "none.csv: no such file (the dev split; relative paths start from --data.root "),
        ("folder", "folder: is a folder (expected a file of the dev split)"),
        ("a.doc", "a.doc: unknown ending '.doc' (expected .csv, .tsv, .txt, .jsonl, .json, .parquet)"),
        ("a", "a: unknown ending '' (expected .csv, .tsv, .txt, .jsonl, .json, .parquet)"),
        ("a.csv.gz", "a.csv.gz: is packed (expected the file itself: unpack it first)"),
        ("a.ZIP", "a.ZIP: is packed (expected the file itself: unpack it first)"),
        ("a.xlsx", "a.xlsx: is a spreadsheet (expected a table as text: save it as .csv)"),
    ],
)
def test_files_that_cannot_be_read(file, message, tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("a.doc", "a", "a.csv.gz", "a.ZIP", "a.xlsx"):
        write(tmp_path / name, "x")
    kind = MissingFileError if file == "none.csv" else InputError
    with pytest.raises(kind, match=f"^{re.escape(str(tmp_path) + '/' + message)}"):
        Source(dev=file).locate("dev", tmp_path)


def test_a_split_that_the_source_lacks(tmp_path):
    with pytest.raises(InputError, match=r"^source names no test split \(it has train, dev\)$"):
        Source(train="a.csv", dev="b.csv").locate("test", tmp_path)


def test_a_digest_is_that_of_the_bytes(tmp_path):
    content = b"text\r\n" * 1000
    assert digest(write(tmp_path / "a.csv", content)) == hashlib.sha256(content).hexdigest()


# Hub layout in a local folder


@pytest.fixture
def hub_folder(tmp_path, monkeypatch):
    """A folder with the three splits of a hub dataset; nothing is cached outside the test's folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "reviews"
    folder.mkdir()
    for split in ("train", "validation", "test"):
        rows = [{"sentence": f"{split} {n}", "label": -1 if split == "test" else n % 2, "idx": n} for n in range(3)]
        write(folder / f"{split}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return folder


def rows_of(source: Source, split: str) -> list[Row]:
    columns = ["sentence", "text", "label", "idx"]
    return list(source.read(split, Path(), columns, delimiter=None, quotes=True, report=pytest.fail))


@pytest.mark.parametrize(("split", "hub_split"), [("train", "train"), ("dev", "validation"), ("test", "test")])
def test_splits_of_a_hub_folder(split, hub_split, hub_folder):
    rows = list(rows_of(Source(hub=str(hub_folder)), split))
    label = "-1" if split == "test" else "1"
    assert [row.fields["sentence"] for row in rows] == [f"{hub_split} {number}" for number in range(3)]
    assert rows[1].fields == {"sentence": f"{hub_split} 1", "label": label, "idx": "1"}
    assert rows[1].where == f"{hub_folder} {split}, row 1"


def test_hub_splits_may_have_other_names(hub_folder):
    rows = list(rows_of(Source(hub=str(hub_folder), dev="train[1:]"), "dev"))
    assert [row.fields["sentence"] for row in rows] == ["train 1", "train 2"]


def test_class_labels_of_a_hub_dataset_are_numbers(hub_folder):
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"]))
    folder = hub_folder.parent / "labelled"
    folder.mkdir()
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    table.to_parquet(folder / "train.parquet")
    assert load_hub(str(folder), None, "train").features["label"].names == ["neg", "pos"]
    assert [row.fields["label"] for row in rows_of(Source(hub=str(folder)), "train")] == ["1", "0"]


def test_a_hub_split_that_is_not_there(hub_folder):
    (hub_folder / "validation.jsonl").unlink()
    with pytest.raises(InputError, match=f"^hub dataset {hub_folder}, split validation: .*validation"):
        load_hub(str(hub_folder), None, "validation")


@pytest.mark.usefixtures("hub_folder")
@pytest.mark.parametrize(("configuration", "name"), [(None, "no/such"), ("sst2", "no/such sst2")])
def test_a_hub_dataset_without_a_network_hints_at_local_files(configuration, name):
    hint = r"Without a network, name local files instead: source: {train: FILE, dev: FILE}$"
    with pytest.raises(InputError, match=rf"(?s)^hub dataset {name}, split train: .*{hint}"):
        load_hub("no/such", configuration, "train")


def test_a_damaged_hub_file_is_an_error(hub_folder):
    write(hub_folder / "train.jsonl", '{"sentence": "x", "label": 1}\nnot JSON\n')
    with pytest.raises(InputError, match=f"^hub dataset {hub_folder}, split train: "):
        load_hub(str(hub_folder), None, "train")


def test_a_hub_dataset_with_a_script_is_an_error(hub_folder):
    folder = hub_folder.parent / "scripted"
    folder.mkdir()
    write(folder / "scripted.py", "import datasets\n")
    with pytest.raises(InputError, match=f"^hub dataset {folder}/scripted.py, split train: .*scripts are no longer"):
        load_hub(f"{folder}/scripted.py", None, "train")


def test_a_folder_whose_content_changed_with_equal_time_and_size_gives_the_new_rows(hub_folder):
    """datasets itself would give the old rows: it looks at times and sizes."""
    path = hub_folder / "train.jsonl"
    source, stamp = Source(hub=str(hub_folder)), path.stat()
    before = source.describe("train", Path())
    assert source.describe("train", Path()) == before
    content = path.read_text()
    write(path, content.replace("train 0", "other 0"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stamp.st_size, stamp.st_mtime_ns)

    assert rows_of(source, "train")[0].fields["sentence"] == "other 0"
    assert source.describe("train", Path())["sha256"] != before["sha256"]
    assert source.describe("dev", Path())["sha256"] != source.describe("train", Path())["sha256"]


def test_columns_of_a_hub_dataset_that_nobody_uses_are_not_read(hub_folder):
    folder = hub_folder.parent / "odd"
    folder.mkdir()
    pq.write_table(pa.table({"tree": [{"a": [1]}], "text": ["x"], "more": [[1]]}), folder / "train.parquet")
    source = Source(hub=str(folder))
    (row,) = source.read("train", Path(), ["text"], delimiter=None, quotes=True, report=pytest.fail)
    assert row.fields == {"tree": None, "text": "x", "more": None}
    with pytest.raises(InputError, match=f"^{folder} train, row 0: more is a list"):
        list(source.read("train", Path(), ["more"], delimiter=None, quotes=True, report=pytest.fail))
