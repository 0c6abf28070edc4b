import importlib
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from runtime.version import ROOT, VERSION, CodeVersion, find_code_version, find_package_version, read_code_version

WHO = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *WHO, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "train.py").write_text("1\n")
    git(folder, "add", "train.py")
    git(folder, "commit", "--quiet", "-m", "First")
    return folder


def test_the_version_has_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert (ROOT / "train.py").is_file()
    assert find_code_version().version == VERSION
    assert find_code_version() is find_code_version()


def test_a_clean_checkout_has_its_commit(checkout):
    (checkout / "runs").mkdir()
    (checkout / "runs" / "report.json").touch()  # untracked: not the code
    assert read_code_version(checkout) == CodeVersion(VERSION, git(checkout, "rev-parse", "HEAD"), False)


def test_a_changed_file_makes_it_dirty(checkout):
    (checkout / "train.py").write_text("2\n")
    assert read_code_version(checkout).dirty is True


def test_a_package_has_the_version_of_its_distribution_or_the_commit_of_its_folder(checkout, monkeypatch):
    for name in ("kept", "untracked"):
        (checkout / f"{name}_methods").mkdir()
        (checkout / f"{name}_methods" / "surgery.py").write_text("1\n")
    (checkout / "numbered.py").write_text("__version__ = '1.5'\n")
    git(checkout, "add", "kept_methods")
    git(checkout, "commit", "--quiet", "-m", "Methods")
    monkeypatch.syspath_prepend(checkout)
    for name in ("kept_methods.surgery", "untracked_methods.surgery", "numbered"):
        importlib.import_module(name)
    (checkout / "kept_methods" / "surgery.py").write_text("2\n")
    assert find_package_version("kept_methods") == f"{git(checkout, 'rev-parse', '--short', 'HEAD')}-dirty"
    untracked = find_package_version("untracked_methods")
    assert re.fullmatch("sha256:[0-9a-f]{12}", untracked)
    (checkout / "untracked_methods" / "surgery.py").write_text("2\n")
    find_package_version.cache_clear()
    assert find_package_version("untracked_methods") != untracked
    assert find_package_version("numbered") == "1.5"
    assert find_package_version("numpy") == np.__version__
    assert find_package_version("nowhere") == "unknown"


def test_a_folder_without_git_has_no_commit(tmp_path):
    assert read_code_version(tmp_path) == CodeVersion(VERSION, None, None)


def test_a_copy_inside_another_checkout_does_not_take_its_commit(checkout):
    copy = checkout / "vendored"
    copy.mkdir()
    assert read_code_version(copy) == CodeVersion(VERSION, None, None)


def test_a_checkout_without_a_commit_or_without_git_has_none(checkout, tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    assert read_code_version(empty) == CodeVersion(VERSION, None, None)
    monkeypatch.setenv("PATH", "")
    assert read_code_version(checkout) == CodeVersion(VERSION, None, None)
