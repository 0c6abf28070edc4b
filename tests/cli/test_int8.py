"""Prediction in int8 from the command line."""

import pytest

from inference import Predictor
from tests.runs import read_csv

SETTINGS = ("--tasks.quora.encoding", "cross", "--data.predict_splits", "[dev]")


def test_predict_in_int8_writes_the_numbers_of_the_predictor(train, fitted, root, caplog):
    last = fitted / "checkpoints" / "last.ckpt"
    plain = train("predict", "--ckpt_path", last, *SETTINGS)
    int8 = train("predict", "--ckpt_path", last, *SETTINGS, "--int8", "true")
    (told,) = [record for record in caplog.records if "int8: 12 layers, not checked on a dev" in record.getMessage()]
    assert told.levelname == "WARNING"  # which a script without logging shows too
    file = "sst-dev-probabilities.csv"
    _, *rows = read_csv(int8 / "predictions" / file)
    texts = [cells[2] for cells in read_tab_separated(root / "ids-sst-dev.csv")[1:]]
    expected = Predictor.load(last, int8=True).predict("sst", texts)
    assert len(rows) == len(texts) == 12
    for cells, prediction in zip(rows, expected, strict=True):
        assert [float(cell) for cell in cells[1:]] == pytest.approx(list(prediction.probabilities.values()), abs=2e-6)
    assert rows != read_csv(plain / "predictions" / file)[1:]


def read_tab_separated(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_only_predict_has_int8(train, capfd):
    with pytest.raises(SystemExit):
        train("fit", "--int8", "true")
    assert "int8" in capfd.readouterr().err
