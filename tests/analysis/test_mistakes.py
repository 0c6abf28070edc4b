from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.mistakes import most_confident_mistakes
from analysis.run import Run
from tests.analysis.written import predict_all, write_run


def test_the_surest_mistakes_come_first(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "run", root, predict_all(s1="2", s2="4", s3="1")))
    predictions = run.read_predictions("sst")
    probabilities = np.full((6, 5), 0.1)
    probabilities[[0, 1, 2], [2, 4, 1]] = [0.5, 0.9, 0.7]
    shown = most_confident_mistakes(replace(predictions, probabilities=probabilities), most=2)
    assert [example.id for example in shown] == ["s2", "s3"]
    assert shown[0].facts == [("label", "1"), ("predicted", "4"), ("probability", "0.900")]


def test_scores_are_sorted_by_their_distance(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "run", root, predict_all(t0="1", t3="4.5")))
    shown = most_confident_mistakes(run.read_predictions("near"))
    assert [example.id for example in shown] == ["t3", "t0"]
    assert shown[0].facts == [("label", "1.00"), ("predicted", "4.50")]


def test_no_mistake_gives_an_empty_list(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "run", root, predict_all()))
    assert most_confident_mistakes(run.read_predictions("same")) == []
