from dataclasses import replace
from pathlib import Path

import pytest

from analysis.run import Run
from analysis.side_by_side import build_score_section, find_other_data, pair_predictions, take
from tasks import Example, InputError
from tests.analysis.written import ROWS, predict_all, write_data, write_run


@pytest.fixture
def other(tmp_path: Path, root: Path) -> Run:
    return Run(write_run(tmp_path / "other", root, predict_all(s1="0", s5="0", s3="4")))


def test_fixed_and_broken_rows_by_hand(folder: Path, other: Run):
    pairing = pair_predictions(Run(folder).read_predictions("sst"), other.read_predictions("sst"))
    assert pairing.fixed.tolist() == [1]
    assert pairing.broken.tolist() == [0, 2, 4]
    assert pairing.p_value == pytest.approx(2 * (1 + 4) / 2**4)  # at most one of four changes the other way


def test_equal_runs_change_nothing(folder: Path):
    predictions = Run(folder).read_predictions("near")
    pairing = pair_predictions(predictions, predictions)
    assert len(pairing.fixed) == len(pairing.broken) == 0
    assert pairing.p_value == 1.0


def test_only_what_both_predicted_is_compared(folder: Path, other: Run):
    first, second = Run(folder).read_predictions("sst"), other.read_predictions("sst")
    pairing = pair_predictions(take(first, [0, 1, 4]), take(second, [1, 2, 4]))
    assert [example.id for example in pairing.second.examples] == ["s2", "s5"]
    assert pairing.second.predictions.tolist() == [1, 0]
    assert pairing.first.predictions.tolist() == [3, 1]


def test_runs_over_other_texts_or_no_common_example_are_refused(folder: Path, other: Run):
    first, second = Run(folder).read_predictions("sst"), other.read_predictions("sst")
    changed = replace(second, examples=[Example("s1", ("other",), 3), *second.examples[1:]])
    with pytest.raises(InputError, match="example s1 has other texts or another label"):
        pair_predictions(first, changed)
    with pytest.raises(InputError, match="no example in common"):
        pair_predictions(take(first, [0]), take(second, [1]))


def test_a_score_of_a_part_of_the_split_says_so(folder: Path, other: Run, tmp_path: Path, root: Path):
    part = {"sst": {name: cell for name, cell in predict_all()["sst"].items() if name in ("s1", "s2")}}
    partial = Run(write_run(tmp_path / "part", root, part))
    (whole,) = build_score_section([Run(folder), other], "dev").blocks
    (table,) = build_score_section([Run(folder), partial], "dev").blocks
    assert table.rows[0] == ["sst", "accuracy", "0.8333", "1.0000 (2 of 6)"]
    assert "n of N: the run predicted n examples" in table.note
    assert "n of N" not in whole.note


def test_runs_over_other_files_are_named_below_the_table(folder: Path, other: Run, tmp_path: Path):
    write_data(tmp_path / "mine", {**ROWS, "sst": [("s1", ("another film",), "3")]})
    mine = Run(write_run(tmp_path / "mine" / "version_0", tmp_path / "mine", predict_all()))
    said = f"sst: not the same dev examples (mine/version_0: {tmp_path / 'mine' / 'sst.csv'}), these scores do not"
    _, *sentences = build_score_section([other, mine], "dev").blocks
    assert [sentence.text for sentence in sentences] == [f"{said} compare."]
    assert find_other_data([Run(folder), other], "dev") == []
    assert len(find_other_data([mine, Run(folder), other], "dev")) == 1
    assert find_other_data([other, mine], "test") == []
