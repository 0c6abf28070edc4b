import importlib
from collections.abc import Callable
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


def test_what_its_files_import_counts_too_but_no_library(tmp_path: Path, monkeypatch):
    package = tmp_path / "reading_rules"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "task.py").write_text(
        "import json\nfrom . import rule\nimport reading_words\n\n\nclass Own:\n    pass\n"
    )
    (package / "rule.py").write_text("from numpy import array\nfrom tasks import Sst\nfrom .limit import LIMIT\n")
    (package / "limit.py").write_text("LIMIT = 3\n")
    (package / "other.py").write_text("")
    (tmp_path / "reading_words.py").write_text("import reading_rules.task\n")
    monkeypatch.syspath_prepend(tmp_path)
    kind = importlib.import_module("reading_rules.task").Own
    importlib.import_module("reading_rules.other")
    before = digest_own_code(kind)
    (package / "other.py").write_text("# no file of the class imports it\n")
    assert digest_own_code(kind) == before
    monkeypatch.setattr(Path, "read_bytes", refuse_libraries(Path.read_bytes))
    for path in (package / "rule.py", package / "limit.py", tmp_path / "reading_words.py"):
        path.write_text(path.read_text() + "# changed\n")
        assert digest_own_code(kind) != before, path.name
        before = digest_own_code(kind)


def refuse_libraries(read: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    def only_own(path: Path) -> bytes:
        assert "reading_" in str(path)
        return read(path)

    return only_own


def test_a_file_that_is_no_python_is_read_whole(tmp_path: Path, monkeypatch):
    (tmp_path / "reading_text.py").write_text("class Own:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    kind = importlib.import_module("reading_text").Own
    (tmp_path / "reading_text.py").write_bytes(b"\0\1")
    assert digest_own_code(kind) is not None


def test_a_changed_class_reads_its_file_anew(monkeypatch: pytest.MonkeyPatch):
    task = Sst()
    settings = []
    for code in ("1", "2"):
        monkeypatch.setattr("tasks.task_rows.digest_own_code", lambda kind, code=code: code)
        settings.append(task.reading_settings())
    assert settings[0] != settings[1]
