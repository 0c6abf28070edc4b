"""Files that are odd at their ends."""

import re
from pathlib import Path

import pytest

from tasks import InputError
from tasks.rows import read_rows


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_alone_on_the_last_line_is_never_closed(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'text\nfine\n"{end}')
    with pytest.raises(InputError, match=re.escape(f"{path}, line 3: a quote that is never closed")):
        list(read_rows(path, ["text"]))
