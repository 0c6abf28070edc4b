"""Hand-in files where a second task over the same pairs only helps the first."""

from pathlib import Path

import numpy as np
import pytest

from tasks import InputError, Sts, Task
from tasks.prediction_files import check_handin, describe_handin, write_handin

FIRST, HELPER = Sts(), Sts(encoding="bi", in_mean=False)


class Rows:
    """Three rows of a task."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def id(self, row: int) -> str:
        """Id of an example."""
        return f"r{row}"


def test_a_task_outside_the_mean_is_not_handed_in(tmp_path: Path) -> None:
    rows, predictions = np.arange(3), np.array([1.0, 2.5, 4.0])
    assert write_handin(tmp_path, "dev", Rows(HELPER), rows, predictions) is None
    path = write_handin(tmp_path, "dev", Rows(FIRST), rows, predictions)
    assert path is not None
    assert [path.name for path in tmp_path.iterdir()] == ["sts-dev-output.csv"]
    (line,) = describe_handin(tmp_path, [HELPER], {path.name: (3, 3)})
    assert line == f"hand-in: sts-dev-output.csv in {tmp_path}"


def test_only_one_of_two_tasks_in_the_mean_may_be_handed_in(tmp_path: Path) -> None:
    check_handin(tmp_path, {"sts": FIRST, "sts_bi": HELPER})
    with pytest.raises(InputError, match=r"two tasks would write sts-dev-output.csv \(expected one\)"):
        check_handin(tmp_path, {"sts": FIRST, "sts_bi": Sts(encoding="bi")})
    with pytest.raises(InputError, match="none of the tasks is Sst, Quora or Sts"):
        check_handin(tmp_path, {"sts_bi": HELPER})
