"""Rows of a file that look like generated ones are refused: they would be taken for them."""

from dataclasses import replace
from pathlib import Path

import pytest

from augmentation import GeneratedPairs
from tasks import InputError, Quora, Source

HEADER = "id\tsentence1\tsentence2\tis_duplicate"
ROWS = ["a\tWhy is tea better than milk?\tIs it?\t0", "generated:list:5:1\tWhat's tea?\tWhat's milk?\t1"]


def test_an_id_that_marks_generated_pairs_is_refused_beside_them(tmp_path: Path):
    path = tmp_path / "train.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    task = Quora(source=Source(train=str(path), dev=str(path)))
    assert len([*task.read_trained("train", tmp_path, print)]) == 2
    with pytest.raises(InputError, match=r"id is 'generated:list:5:1' \(expected none that begins with generated:"):
        [*replace(task, generated_pairs=GeneratedPairs(share=1.0)).read_trained("train", tmp_path, print)]
