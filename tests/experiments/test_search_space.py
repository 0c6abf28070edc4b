from pathlib import Path

import pytest

from experiments.search_space import Range, Recipe, as_flags, read_recipes
from tasks import InputError

LR = Range("log_uniform", (1e-5, 1e-3))
GOOD = "- {name: plain, command: '', options: {model.optimizer.lr: {log_uniform: [1.0e-5, 1.0e-3]}}}\n"


def make_recipe(**options: Range) -> Recipe:
    return Recipe("plain", (), (), options, "here")


def test_the_first_candidate_is_the_command_as_it_stands():
    first, *others = make_recipe(lr=LR).candidates(4, seed=0)
    assert first == {}
    assert all(each.keys() == {"lr"} for each in others)


def test_a_value_does_not_depend_on_other_options_or_on_the_number_of_candidates():
    few = make_recipe(lr=LR).candidates(5, seed=3)
    many = make_recipe(weight=Range("uniform", (0, 1)), lr=LR).candidates(9, seed=3)
    assert [each.get("lr") for each in few] == [each.get("lr") for each in many[:5]]
    assert make_recipe(lr=LR).candidates(5, seed=4)[1:] != few[1:]


@pytest.mark.parametrize(
    ("kind", "values"),
    [("uniform", (0.5, 0.75)), ("log_uniform", (2e-5, 5e-4)), ("integers", (3, 5)), ("choice", ("a", None, 2))],
)
def test_values_fill_their_range(kind, values):
    drawn = [each["x"] for each in make_recipe(x=Range(kind, values)).candidates(200, seed=0)[1:]]
    if kind == "choice":
        assert set(drawn) == set(values)
    elif kind == "integers":
        assert set(drawn) == {3, 4, 5}
    else:
        low, high = values
        assert low <= min(drawn) < low * 1.05
        assert high * 0.9 < max(drawn) <= high
        assert all(float(f"{value:.3g}") == value for value in drawn)


def test_half_of_a_log_uniform_range_lies_below_its_geometric_mean():
    drawn = [each["x"] for each in make_recipe(x=LR).candidates(1000, seed=0)[1:]]
    assert sum(value < 1e-4 for value in drawn) / len(drawn) == pytest.approx(0.5, abs=0.05)


def test_values_become_flags():
    values = {"a.b": 0.5, "c": None, "d": True, "e": "Joint", "f": {"sst": 1}}
    assert as_flags(values) == ("--a.b=0.5", "--c=null", "--d=true", "--e=Joint", '--f={"sst": 1}')


def write(folder: Path, text: str) -> str:
    path = folder / "search.yaml"
    path.write_text(text)
    return str(path)


def test_a_file_is_read(tmp_path):
    (tmp_path / "base.yaml").write_text("")
    text = f"- name: plain\n  command: python train.py fit -c {tmp_path}/base.yaml --data.root x\n"
    text += "  options:\n    --data.batch_size: {choice: [8, 16]}\n"
    (recipe,) = read_recipes(write(tmp_path, text))
    assert recipe.configs == (tmp_path / "base.yaml",)
    assert recipe.flags == ("--data.root", "x")
    assert recipe.options == {"data.batch_size": Range("choice", (8, 16))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "holds no recipe (expected a list of recipes"),
        ("name: plain", "holds a dict (expected a list of recipes"),
        (GOOD * 2, "recipe 2: the name plain appears twice"),
        ("- {name: plain, command: ''}", "recipe 1: holds ['command', 'name'] (expected name, command, options"),
        (GOOD.replace("plain", "a/b"), "the name is 'a/b'"),
        (GOOD.replace("command: ''", "command: 3"), "command is 3"),
        (GOOD.replace("''", "'--seed_everything 3'"), "--seed_everything: this command sets it itself"),
        ("- {name: a, command: '', options: {}}", "options is {}"),
        (GOOD.replace("log_uniform", "log"), "unknown range log (expected one of uniform, log_uniform, integers"),
        (GOOD.replace("1.0e-5", "1e-5"), "YAML reads 1e-5 as text, write 1.0e-5"),
        (GOOD.replace("1.0e-5", "0"), "expected two numbers above 0, the lower one first"),
        (GOOD.replace("1.0e-5", "1"), "the lower one first"),
        (GOOD.replace("log_uniform", "integers"), "expected a lower and an upper number"),
        (GOOD.replace("{log_uniform: [1.0e-5, 1.0e-3]}", "[1, 2]"), "is [1, 2] (expected one range"),
        (GOOD.replace("[1.0e-5, 1.0e-3]", "3"), "log_uniform is 3 (expected a list"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, said):
    with pytest.raises(InputError) as raised:
        read_recipes(write(tmp_path, text))
    assert said in str(raised.value)
