from pathlib import Path

import pytest

from experiments.rows import LAYERS, METHODS, PAPER, choose_rows, lay_recipe, needs_pretrained, read_row, read_rows
from tasks import InputError

HEAD = """\
# python train.py fit -c configs/paper/recipe.yaml \\
#     -c {path} --data.root DIR
# Table 2: something
# Paper: sst .5, quora .8, sts .7, mean .6667
# Compare with: b2
tasks: {{sst: Sst}}
"""


def test_every_row_of_the_tables_is_there():
    rows = read_rows()
    assert len(rows) == 30
    assert {row.table for row in rows.values()} == {1, 2, 3, 4, 5, 6, 7}
    assert list(rows)[:3] == ["b1", "b2", "even"]
    assert {path.stem for path in PAPER.glob("*.yaml")} == {*rows, *LAYERS}


def test_every_row_starts_with_the_recipe_and_ends_with_its_own_file():
    for row in read_rows().values():
        assert row.configs[0] == PAPER / "recipe.yaml"
        assert row.configs[-1].stem == row.name
        assert set(row.scores) <= {*row.tasks, "mean"}, row.name
        assert all(path.is_file() for path in row.configs)


def test_every_row_leads_back_to_a_baseline():
    rows = read_rows()
    for row in rows.values():
        seen = [row.name]
        while (against := rows[seen[-1]].against) is not None:
            assert against not in seen
            seen.append(against)
    assert {row.name for row in rows.values() if row.against is None} == {
        *("b1", "frozen", "sst-only", "quora-only", "sts-only")
    }


def test_a_printed_mean_is_that_of_the_printed_scores():
    averaged = [row for row in read_rows().values() if "mean" in row.scores]
    assert len(averaged) == 27
    for row in averaged:
        assert sum(row.scores[task] for task in row.tasks) / 3 == pytest.approx(row.scores["mean"], abs=1.1e-4), (
            row.name
        )


def test_rows_that_need_further_pre_training_are_those_from_table_3_to_6_and_venkateswarans():
    rows = read_rows().values()
    needing = {row.name for row in rows if needs_pretrained(row)}
    others = {row.name for row in rows if row.name.startswith("venkateswaran-")}
    assert len(others) == 3
    assert needing == {row.name for row in rows if 3 <= row.table <= 6} | others


def test_a_head_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path=path))
    row = read_row(path)
    assert (row.name, row.table, row.title, row.against) == ("mine", 2, "something", "b2")
    assert row.scores == {"sst": 0.5, "quora": 0.8, "sts": 0.7, "mean": 0.6667}
    assert row.tasks == ("sst",)  # what it trains
    assert row.configs == (PAPER / "recipe.yaml", path)


METHOD = """\
# python train.py fit -c configs/methods/recipe.yaml -c {path} --data.root DIR
# Method: something else
# Compare with: plain
model: {{weighting: Uncertainty}}
"""


def test_every_method_is_compared_with_a_row_that_shares_its_layers():
    rows = read_rows(METHODS)
    assert next(iter(rows)) == "plain"
    assert {path.stem for path in METHODS.glob("*.yaml")} == {*rows, "recipe"}
    assert [row.name for row in rows.values() if row.against is None] == ["plain"]
    for row in rows.values():
        assert (row.table, row.scores) == (None, {})
        assert [task for task in row.tasks if not task.endswith("_bi")] == ["sst", "quora", "sts"]
        assert row.configs[0] == METHODS / "recipe.yaml"
        assert row.configs[-1].stem == row.name
        for below in row.configs[1:-1]:
            assert row.against == below.stem or row.name == "combination"  # which is compared with plain training


def test_the_head_of_a_method_needs_no_scores(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(METHOD.format(path=path))
    row = read_row(path)
    assert (row.name, row.table, row.title, row.against) == ("mine", None, "something else", "plain")
    assert row.tasks == ("sst", "quora", "sts")  # the recipe's
    assert row.scores == {}


def test_a_further_file_lies_on_the_recipe_and_below_the_row():
    row = read_rows(METHODS)["pcgrad"]
    names = [path.name for path in lay_recipe(row, Path("mine.yaml"))]
    assert names == ["recipe.yaml", "mine.yaml", "joint.yaml", "pcgrad.yaml"]
    assert lay_recipe(row, None) == row.configs


def test_a_folder_without_rows_and_a_baseline_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no rows \(expected a folder of \.yaml files"):
        read_rows(tmp_path / "none")
    path = tmp_path / "mine.yaml"
    path.write_text(METHOD.format(path=path))
    message = r"mine\.yaml: is compared with plain, which is no row \(expected one of mine\)"
    with pytest.raises(InputError, match=message):
        read_rows(tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("tasks:", "data:", "no file of its command names tasks"),
        ("paper/recipe", "paper/none", "no such file: .*none.yaml"),
    ],
)
def test_a_row_without_tasks_or_with_a_file_that_is_not_there_is_refused(tmp_path, before, after, message):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path=path).replace(before, after))
    with pytest.raises(InputError, match=rf"mine\.yaml: {message}"):
        read_row(path)


@pytest.mark.parametrize("missing", ["# python", "# Table", "# Paper"])
def test_a_head_without_a_line_is_refused(tmp_path, missing):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path=path).replace(missing, "#"))
    with pytest.raises(InputError, match=r"mine\.yaml: its head lacks"):
        read_row(path)


def test_a_command_for_another_file_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path="configs/paper/b2.yaml"))
    with pytest.raises(InputError, match=r"last -c file of its command is another one \(expected mine\.yaml\)"):
        read_row(path)


def test_rows_are_chosen_by_name_in_the_order_asked_for():
    rows = read_rows()
    assert [row.name for row in choose_rows(["even", "b1", "even"], rows)] == ["even", "b1"]
    assert len(choose_rows(["all"], rows)) == len(rows)
    with pytest.raises(InputError, match=r"--rows b9: no such row \(expected all, or some of b1, b2"):
        choose_rows(["b9"], rows)
