import pytest

from experiments.settings import find_setting, read_yaml
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
    [("a: [1", r"a\.yaml, line 1: not YAML \("), ("- 1\n", r"a\.yaml: holds a list \(expected a mapping")],
)
def test_what_is_no_configuration_is_refused(text, message, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(tmp_path / "a.yaml")


def test_a_file_of_comments_holds_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("# python train.py\n")
    assert read_yaml(tmp_path / "a.yaml") == {}
