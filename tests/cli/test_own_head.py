"""The head that docs/methods.md shows trains, from a package outside the repository."""

import re
from pathlib import Path

import pytest
import torch

from runtime.version import ROOT


def test_the_head_of_the_page_trains(train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8").partition("## A method of your own")[2]
    code = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)[0]
    (tmp_path / "research" / "mymethods").mkdir(parents=True)
    (tmp_path / "research" / "mymethods" / "heads.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "research")
    flags = re.findall(r"# (--tasks.sst.head .*)", code)[0].split()
    run = train("fit", *flags)
    weights = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert "heads.sst.gate.1.weight" in weights
    train("validate", "--ckpt_path", run / "checkpoints" / "last.ckpt", *flags)
