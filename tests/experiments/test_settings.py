import pytest

from experiments.settings import class_name, merge_settings, option, read_yaml
from tasks import InputError


def test_files_and_flags_lie_over_each_other_as_on_the_command_line(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("tasks: {sst: Sst, sts: Sts}\ndata: {batch_size: 8, schedule: Joint}\n")
    second.write_text("tasks: {sts: {class_path: Sts, init_args: {batch_size: 4}}}\ndata: {max_length: 32}\n")
    merged = merge_settings([first, second], ["--data.schedule.stop", "longest", "--tasks.sts.weight=0.5", "--flag"])
    assert merged["data"] == {"batch_size": 8, "max_length": 32, "schedule": {"class_path": "Joint", "stop": "longest"}}
    assert list(merged["tasks"]) == ["sts"]
    assert [option(merged["tasks"]["sts"], name) for name in ("batch_size", "weight", "none")] == [4, 0.5, None]
    assert class_name(merged["data"]["schedule"]) == "Joint"


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", r"a\.yaml: not YAML \(while parsing"), ("- 1\n", r"a\.yaml: holds a list \(expected a mapping")],
)
def test_what_is_no_configuration_is_refused(text, message, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(tmp_path / "a.yaml")


def test_a_file_of_comments_holds_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("# python train.py\n")
    assert read_yaml(tmp_path / "a.yaml") == {}
