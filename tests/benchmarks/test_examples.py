"""The docstring examples of benchmarks/, which pytest does not collect: peers need packages that are optional."""

import doctest
import importlib

from benchmarks.coordinator import ROOT


def test_examples_are_right() -> None:
    files = [
        path.relative_to(ROOT) for path in (ROOT / "benchmarks").rglob("*.py") if ">>> " in path.read_text("utf-8")
    ]
    found = {".".join(path.with_suffix("").parts): path for path in files}
    assert {"benchmarks.flops", "benchmarks.gpu.everything", "benchmarks.peers.ordering"} <= found.keys()
    for name in found:
        done = doctest.testmod(importlib.import_module(name))
        assert done.attempted > 0, name
        assert done.failed == 0, name
