"""Measurements that a file keeps."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from runtime.measured import Measured


class SlowlyWritten(Measured[int]):
    """Where the disk is busy, others read the file between the last look into it and the writing."""

    def _write(self, known: Mapping[str, int]) -> None:
        time.sleep(0.2)
        super()._write(known)


def test_of_several_that_measure_at_the_same_time_the_first_decides_for_all(tmp_path: Path) -> None:
    measured = Barrier(3)

    def find(number: int) -> int:
        def measure() -> int:
            measured.wait()
            return number

        memory = SlowlyWritten(tmp_path / "cache" / "speeds.json", "speeds", lambda value: isinstance(value, int))
        return memory.find("here", measure)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(find, range(3)))
    assert len(set(found)) == 1
    last = Measured[int](tmp_path / "cache" / "speeds.json", "speeds", lambda value: True)
    assert last.find("here", lambda: -1) == found[0]
