from pathlib import Path

import numpy as np
import pytest

from benchmarks.scale import measure, run_scale, write_generated_store
from datamodules.store import TokenStore
from tasks import Quora


def test_a_generated_store_reads_like_a_tokenised_task(tmp_path: Path) -> None:
    path = tmp_path / "generated.arrow"
    write_generated_store(path, 50)
    store = TokenStore(path, task=Quora(), source={"path": "", "sha256": ""})
    assert len(store) == 50
    assert store.is_labelled
    assert set(np.unique(store.labels)) == {0.0, 1.0}
    assert all(len(store.tokens(row)) == store.lengths[row] > store.first_lengths[row] for row in range(50))


def test_costs_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "generated.arrow"
    write_generated_store(path, 1000)
    found = measure(path)
    assert found["rows"] == 1000
    assert found["first_batch_s"] > 0 < min(found["ms_per_batch"], found["ms_per_batch_again"])


@pytest.mark.slow
def test_every_size_has_an_entry_of_ours() -> None:
    lines: list[str] = []
    entries = run_scale([100, 200], report=lines.append)
    assert [(entry["name"], entry["rows"]) for entry in entries] == [("ours 100 rows", 100), ("ours 200 rows", 200)]
    assert lines == ["100 rows done", "200 rows done"]
