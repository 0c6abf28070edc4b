from pathlib import Path

import pytest

from tests.analysis.written import predict_all, write_data, write_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Folder of the data of three tasks."""
    write_data(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """Folder of a run with one mistake in each task with classes."""
    return write_run(tmp_path / "runs" / "mine" / "version_0", root, predict_all(s2="3", q4="yes, same", t3="4.5"))
