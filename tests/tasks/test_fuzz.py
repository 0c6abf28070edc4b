"""Readers under random bytes: rows or one clear error, nothing else."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks import InputError, PairRegression, Source
from tasks.rows import FILE_FORMATS, FileFormat, read_rows

# FUZZ_EXAMPLES=20000 looks for new ones; the default tier repeats the same few.
COUNT = int(os.environ.get("FUZZ_EXAMPLES", "50"))
FUZZ = settings(
    max_examples=COUNT,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
PIECES = [
    b"id\ta\tb\ty\n",
    b"a,b,y\n",
    b'"',
    b'""',
    b"\t",
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
]
PIECES += [
    b'{"a": "x", "b": "y", "y": 3}\n',
    b"{",
    b"}",
    b"[1]\n",
    b"null\n",
    b"\xf0\x9f\x98\x80",
    b"nan",
    b"1e999",
    b"PAR1",
]
CONTENT = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=30).map(b"".join)


@pytest.mark.parametrize("ending", FILE_FORMATS)
def test_any_bytes_give_rows_or_one_error(ending: str, tmp_path: Path) -> None:
    numbers: list[int] = []
    messages: list[str] = []

    @FUZZ
    @given(CONTENT, st.booleans())
    def read(content: bytes, quotes: bool) -> None:
        path = tmp_path / f"data{ending}"
        path.write_bytes(content)
        try:
            rows = list(read_rows(path, ["text", "a", "y"], layout=FileFormat(quotes=quotes)))
        except InputError as error:
            messages.append(str(error))
        else:
            assert all(isinstance(value, str | None) for row in rows for value in row.fields.values())
            numbers.append(len(rows))

    read()
    assert messages
    assert all(message.startswith(str(tmp_path)) for message in messages)
    assert numbers or ending in (".json", ".jsonl", ".parquet")


@pytest.mark.parametrize("ending", [".tsv", ".jsonl"])
def test_any_bytes_give_whole_examples_or_one_error(ending: str, tmp_path: Path) -> None:
    task = PairRegression(source=Source(train=f"data{ending}"), texts=("a", "b"), label="y", low=0, high=5)
    messages: list[str] = []

    @FUZZ
    @given(CONTENT)
    def read(content: bytes) -> None:
        (tmp_path / f"data{ending}").write_bytes(content)
        try:
            examples = list(task.read("train", tmp_path, lambda message: None))
        except InputError as error:
            messages.append(str(error))
        else:
            assert all(example.label is not None and 0 <= example.label <= 5 for example in examples)
            assert all(text.strip() for example in examples for text in example.texts)

    read()
    assert messages
    assert all(message.startswith(str(tmp_path)) for message in messages)
