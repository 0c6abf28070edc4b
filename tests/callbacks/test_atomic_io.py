import errno
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from callbacks import AtomicCheckpointIO
from runtime.version import find_code_version
from runtime.whole_files import replacing
from tasks import InputError

GOOD: dict[str, Any] = {"state_dict": {"weight": torch.arange(3.0)}, "loops": {}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(GOOD, path)
    return path


def test_what_was_saved_is_loaded(saved):
    loaded = AtomicCheckpointIO().load_checkpoint(saved)
    assert set(loaded) == {"state_dict", "loops", "code"}
    assert loaded["code"] == asdict(find_code_version())
    assert torch.equal(loaded["state_dict"]["weight"], GOOD["state_dict"]["weight"])
    assert os.listdir(saved.parent) == ["last.ckpt"]


def test_saving_again_replaces_the_file(saved):
    AtomicCheckpointIO().save_checkpoint({**GOOD, "epoch": 3}, saved)
    assert AtomicCheckpointIO().load_checkpoint(saved)["epoch"] == 3
    assert os.listdir(saved.parent) == ["last.ckpt"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(function, saved, monkeypatch):
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = saved.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(InputError, match=r"last\.ckpt: not written, an earlier .* \(.*No space left"):
            AtomicCheckpointIO().save_checkpoint({**GOOD, "epoch": 3}, saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["last.ckpt"]


def test_an_error_while_writing_leaves_the_old_file(saved):
    before = saved.read_bytes()
    with pytest.raises((AttributeError, TypeError, ValueError), match="pickle"):
        AtomicCheckpointIO().save_checkpoint({**GOOD, "bad": lambda: 0}, saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["last.ckpt"]


def test_a_target_is_replaced_by_what_is_whole_only(tmp_path):
    target = tmp_path / "new" / "report.json"
    with replacing(target) as file:
        file.write(b"1")
    with pytest.raises(TypeError, match="bytes"), replacing(target) as file:
        file.writelines([b"2", "no bytes"])
    assert target.read_bytes() == b"1"
    assert os.listdir(target.parent) == ["report.json"]


def test_the_folder_for_temporary_files_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(GOOD, path)
    assert path.is_file()


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("weights_only", [None, False, True])
def test_code_in_a_checkpoint_never_runs(weights_only, tmp_path):
    path, target = tmp_path / "evil.ckpt", tmp_path / "was_here"
    torch.save({**GOOD, "callbacks": Evil(target)}, path)
    with pytest.raises(InputError, match=r"evil\.ckpt: no readable checkpoint"):
        AtomicCheckpointIO().load_checkpoint(path, weights_only=weights_only)
    assert not target.exists()


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_file_that_was_cut_off_is_refused(keep, saved):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"last\.ckpt: no readable checkpoint, cut off or not plain data"):
        AtomicCheckpointIO().load_checkpoint(saved)


@pytest.mark.parametrize("content", [{"weight": torch.zeros(1)}, [1, 2], {"state_dict": {}}])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt: not a checkpoint of a run"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "other.pt")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.ckpt: no such checkpoint"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "none.ckpt")
