from pathlib import Path

import pytest

from runtime.errors import InputError
from tasks import Classification, Source
from tasks.joint_reading import read_joint
from tasks.source import Split

# "b" ends in one of the two splits; both of its rows follow a row of two lines.
FILE = 'name;text;y\na;"one\nfilm";0\nb;same words;1\nc;three;0\nd;four;1\nb;same words;1\n'


def films(source: Source, *, id: str | None = "name") -> Classification:
    return Classification(source=source, texts=("text",), label="y", num_classes=2, delimiter=";", id=id)


def read_ids(task: Classification, split: Split, root: Path) -> list[str]:
    return [example.id for example in task.read(split, root, lambda note: None)]


def test_a_repeated_id_of_a_file_that_is_split_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text(FILE)
    task = films(Source(all="films.csv", dev_share=0.4))

    def read_both() -> list[list[str]]:
        return [read_ids(task, split, tmp_path) for split in ("train", "dev")]

    with pytest.raises(InputError) as error:
        read_both()

    assert str(error.value) == (
        f"{tmp_path}/films.csv, line 7: name is 'b', as in an earlier row (expected unique ids; without an id column, "
        "rows are numbered)"
    )


def test_a_repeated_id_is_refused_for_tasks_over_the_same_rows_and_behind_a_limit(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text(FILE)
    task = films(Source(train="films.csv")).with_limits(train=2, dev=None)

    with pytest.raises(InputError, match="line 7: name is 'b'"):
        list(read_joint([task, task], "train", tmp_path, lambda note: None))
    with pytest.raises(InputError, match="line 7: name is 'b'"):
        read_ids(task, "train", tmp_path)


def test_rows_without_an_id_column_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text(FILE)

    assert read_ids(films(Source(train="films.csv"), id=None), "train", tmp_path) == ["0", "1", "2", "3", "4"]
