import pytest

from analysis import paper_rows
from analysis.paper_rows import FOLDER, LAYERS, RECIPE, choose_rows, read_paper_row, read_paper_rows
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
    rows = read_paper_rows()
    assert len(rows) == 30
    assert {row.table for row in rows.values()} == {1, 2, 3, 4, 5, 6, 7}
    assert list(rows)[:3] == ["b1", "b2", "even"]
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*rows, *LAYERS}


def test_every_row_starts_with_the_recipe_and_ends_with_its_own_file():
    for row in read_paper_rows().values():
        assert row.configs[0] == RECIPE
        assert row.configs[-1].stem == row.name
        assert all(path.is_file() for path in row.configs)


def test_every_row_leads_back_to_a_baseline():
    rows = read_paper_rows()
    for row in rows.values():
        seen = [row.name]
        while (against := rows[seen[-1]].against) is not None:
            assert against not in seen
            seen.append(against)
    assert {row.name for row in rows.values() if row.against is None} == {
        *("b1", "frozen", "sst-only", "quora-only", "sts-only")
    }


def test_a_printed_mean_is_that_of_the_printed_scores():
    averaged = [row for row in read_paper_rows().values() if "mean" in row.scores]
    assert len(averaged) == 27
    for row in averaged:
        assert sum(row.scores[task] for task in row.tasks) / 3 == pytest.approx(row.scores["mean"], abs=1.1e-4), (
            row.name
        )


def test_rows_that_need_further_pre_training_are_those_from_table_3_to_6_and_venkateswarans():
    rows = read_paper_rows().values()
    needing = {row.name for row in rows if row.needs_pretrained}
    others = {row.name for row in rows if row.name.startswith("venkateswaran-")}
    assert len(others) == 3
    assert needing == {row.name for row in rows if 3 <= row.table <= 6} | others


def test_a_head_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path=path))
    row = read_paper_row(path)
    assert (row.name, row.table, row.title, row.against) == ("mine", 2, "something", "b2")
    assert row.scores == {"sst": 0.5, "quora": 0.8, "sts": 0.7, "mean": 0.6667}
    assert row.configs == (RECIPE, path)


@pytest.mark.parametrize("missing", ["# python", "# Table", "# Paper"])
def test_a_head_without_a_line_is_refused(tmp_path, missing):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path=path).replace(missing, "#"))
    with pytest.raises(InputError, match=r"mine\.yaml: its head lacks"):
        read_paper_row(path)


def test_a_command_for_another_file_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.format(path="configs/paper/b2.yaml"))
    with pytest.raises(InputError, match=r"last -c file of its command is another one \(expected mine\.yaml\)"):
        read_paper_row(path)


def test_rows_are_chosen_by_name_in_the_order_asked_for():
    assert [row.name for row in choose_rows(["even", "b1", "even"])] == ["even", "b1"]
    assert len(choose_rows(["all"])) == len(paper_rows.read_paper_rows())
    with pytest.raises(InputError, match=r"--rows b9: no such row \(expected all, or some of b1, b2"):
        choose_rows(["b9"])
