import pytest

from experiments.settings import find_setting, find_tasks, read_yaml
from tasks import InputError


def test_the_last_value_of_a_setting_counts(tmp_path):
    first, second, third = (tmp_path / f"{name}.yaml" for name in "abc")
    first.write_text("trainer: {limit_val_batches: 2, max_epochs: 1}\n")
    second.write_text("trainer: {limit_val_batches: 0.5}\n")
    third.write_text("trainer:\ndata: {batch_size: 8}\n")

    def find(*flags: str) -> object:
        return find_setting([first, second, third], flags, "trainer", "limit_val_batches")

    assert find("--trainer.max_epochs", "3") == 0.5
    assert find("--trainer.limit_val_batches", "3") == 3
    assert find("--trainer.limit_val_batches=3", "--trainer.limit_val_batches=1.0") == 1.0
    assert find_setting([third], [], "trainer", "limit_val_batches") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", r"a\.yaml, line 2: not YAML \("), ("- 1\n", r"a\.yaml: holds a list \(expected a mapping")],
)
def test_what_is_no_configuration_is_refused(text, message, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(tmp_path / "a.yaml")


def test_a_file_of_comments_holds_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("# python train.py\n")
    assert read_yaml(tmp_path / "a.yaml") == {}


def test_the_tasks_of_the_last_file_that_has_some_count(tmp_path):
    first, second, third = (tmp_path / f"{name}.yaml" for name in "abc")
    first.write_text("tasks: {sst: Sst, sts: Sts}\n")
    second.write_text("tasks: {quora: Quora}\n")
    third.write_text("tasks:\n")
    assert find_tasks([first, second, third]) == {"quora": "Quora"}
    assert find_tasks([third]) == {}
    third.write_text("tasks: [sst]\n")
    with pytest.raises(InputError, match=r"c\.yaml: tasks holds a list \(expected a mapping such as sst: Sst\)"):
        find_tasks([first, third])


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a: caf\xe9\n")
    with pytest.raises(InputError, match=r"a\.yaml: not YAML \(not UTF-8 text"):
        read_yaml(tmp_path / "a.yaml")
