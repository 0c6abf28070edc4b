"""How many dev rows an export or int8 is checked on."""

from pathlib import Path

import pytest

from inference.parity import read_dev
from tasks import InputError, Sst


@pytest.mark.parametrize("rows", [0, -3])
def test_a_check_needs_a_row(rows: int, cs224n_root: Path) -> None:
    with pytest.raises(InputError, match=rf"--dev_rows is {rows} \(expected 1 or more\)"):
        read_dev(Sst(), cs224n_root, most_rows=rows)
    assert len(read_dev(Sst(), cs224n_root, most_rows=1).texts) == 1


def test_a_missing_file_names_the_flag_for_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ids-sst-dev\.csv: no such file .*; --root DIR names another folder"):
        read_dev(Sst(), tmp_path, most_rows=1)
