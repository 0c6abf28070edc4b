import importlib
from pathlib import Path

import pytest

from tasks import Sst
from tasks.own_code import digest_own_code


def test_a_class_of_this_package_has_no_code_of_its_own():
    assert digest_own_code(Sst) is None
    assert "code" not in Sst().reading_settings()


def test_a_class_elsewhere_is_known_by_its_files_and_those_of_its_bases(tmp_path: Path, monkeypatch):
    (tmp_path / "reading_base.py").write_text("class Base:\n    pass\n")
    (tmp_path / "reading_own.py").write_text("from reading_base import Base\n\n\nclass Own(Base):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    kind = importlib.import_module("reading_own").Own
    digests = [digest_own_code(kind)]
    for name in ("reading_base.py", "reading_own.py"):
        path = tmp_path / name
        path.write_text(path.read_text() + "# changed\n")
        digests.append(digest_own_code(kind))
    assert None not in digests
    assert len(set(digests)) == 3


def test_a_changed_class_reads_its_file_anew(monkeypatch: pytest.MonkeyPatch):
    task = Sst()
    settings = []
    for code in ("1", "2"):
        monkeypatch.setattr("tasks.task_rows.digest_own_code", lambda kind, code=code: code)
        settings.append(task.reading_settings())
    assert settings[0] != settings[1]
