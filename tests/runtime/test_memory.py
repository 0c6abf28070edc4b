import resource
import sys

import pytest
import torch

from runtime.memory import peak_memory

CPU = torch.device("cpu")


def test_peak_memory_is_in_bytes():
    assert 10 * 2**20 < peak_memory(CPU) < 2**40


@pytest.mark.parametrize(("system", "factor"), [("linux", 1024), ("darwin", 1)])
def test_peak_memory_knows_the_unit_of_the_system(system, factor, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    low, found, high = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, peak_memory(CPU), peak_memory(CPU))
    assert low * factor <= found <= high


def test_where_no_system_counts_it_peak_memory_is_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory(CPU) is None


def test_beside_a_gpu_that_is_not_used_the_memory_is_that_of_the_process(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert peak_memory(CPU) > 10 * 2**20
