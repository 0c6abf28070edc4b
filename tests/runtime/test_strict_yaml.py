"""Keys that appear twice."""

import pytest
import yaml

from runtime.strict_yaml import check_keys, read_yaml, read_yaml_file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' appears twice (first in line 1; expected once)"),
        ("a:\n  - b: 1\n    b: 2\n", "line 3: the key 'a.b' appears twice (first in line 2; expected once)"),
        ("{a: {b: 1, 'b': 2}}", "line 1: the key 'a.b' appears twice (first in line 1; expected once)"),
    ],
)
def test_a_key_twice_is_named_with_both_lines(text, message, tmp_path):
    with pytest.raises(ValueError) as refused:
        read_yaml(text)
    assert str(refused.value) == message
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ValueError) as refused:
        read_yaml_file(tmp_path / "a.yaml")
    assert str(refused.value) == f"{tmp_path / 'a.yaml'}, {message}"


def test_equal_keys_of_different_mappings_and_merged_ones_are_accepted():
    text = "base: &base {a: 1, b: 2}\nother: {<<: *base, a: 3}\nlist: [{a: 1}, {a: 2}]\nsame: *base\n1: x\n'1': y\n"
    assert read_yaml(text) == yaml.safe_load(text)
    assert read_yaml(text)["other"] == {"a": 3, "b": 2}


def test_a_mapping_that_holds_itself_is_read_once():
    check_keys("a: &a {b: *a}")


def test_what_is_not_yaml_or_not_utf8_is_named_by_file(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n\tb: 2\n")
    with pytest.raises(ValueError, match=r"a\.yaml, line 2: not YAML \(found character"):
        read_yaml_file(path)
    path.write_bytes(b"a: \xe9\n")
    with pytest.raises(ValueError, match=r"a\.yaml: not YAML \(not UTF-8 text"):
        read_yaml_file(path)
