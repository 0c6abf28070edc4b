"""Files that are odd at their ends, and the predictions of a teacher that are."""

import re
from pathlib import Path

import pytest

from tasks import InputError, Quora, Source, Sst, Teacher
from tasks.rows import read_rows


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_alone_on_the_last_line_is_never_closed(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'text\nfine\n"{end}')
    with pytest.raises(InputError, match=re.escape(f"{path}, line 3: a quote that is never closed")):
        list(read_rows(path, ["text"]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,0,1\nx,0.1,0.9\ny,0.5,0.5\nx,0.9,0.1\n", "a.csv, line 4: the id 'x' appears twice (expected one"),
        ("id,0,1\rx,0.1,0.9\ry,0.5,0.5\r", "a.csv: new-line character seen in unquoted field"),
    ],
)
def test_predictions_of_a_teacher_are_one_a_row_and_example(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content.encode())
    task = Quora(teacher=Teacher(files=(str(tmp_path / "a.csv"),)))
    with pytest.raises(InputError, match=re.escape(message)):
        task.read_teacher("quora", ["x", "y"])


@pytest.mark.parametrize("encoding", ["hex", "rot13", "undefined"])
def test_a_codec_that_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(InputError, match=f"Sst: source.encoding is '{encoding}' "):
        Sst(source=Source(train="a.csv", encoding=encoding))
