"""A class from a package of the user's own, by its whole path, and what can be wrong with it."""

from pathlib import Path

import pytest

MODULE = """
from heads import LinearHead
from objectives import Surgery


class Mean(Surgery):
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def coefficients(self, gram, step_id):
        return [self.scale] * len(gram)


class Untyped(LinearHead):
    def __init__(self, hidden_size, labels, *, scale) -> None:
        super().__init__(hidden_size, labels)
"""
SURGERY = "--model.surgery"
NO_MODULE = "no module absent (expected the folder that holds it in the environment variable PYTHONPATH"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")


def test_a_class_of_another_package_trains(package, train, tmp_path, capsys):
    flags = [SURGERY, "mine.Mean", f"{SURGERY}.scale", "0.5", "--data.schedule", "Joint", "--trainer.max_steps", "1"]
    train("fit", *flags)
    config = next(tmp_path.glob("**/version_0/config.yaml")).read_text(encoding="utf-8")
    assert "class_path: mine.Mean\n    init_args:\n      scale: 0.5" in config


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([SURGERY, "absent.Mean"], f"model.surgery: {NO_MODULE}"),
        (["--trainer.callbacks", "absent.Clock"], f"trainer.callbacks: {NO_MODULE}"),
        (["--tasks.sst.head", "LinearHead", "--tasks.sst.head.loss", "absent.Loss"], NO_MODULE),
        ([SURGERY, "mine.Meen"], "model.surgery: no Meen in mine (did you mean Mean?)"),
        (["--model.weighting", "mine.Mean"], "model.weighting: mine.Mean is no Weighting (expected a subclass of it)"),
        (["--model.regularizer", "mine.Mean"], "model.regularizer: mine.Mean is no Regularizer (expected a subclass"),
        (
            ["--tasks.sst.head", "mine.Untyped"],
            "option scale of Untyped has no type (expected one, as in scale: float)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_class_that_does_not_fit_is_one_sentence(flags, message, package, train, capsys):
    train.refuse("fit", *flags)
    said = capsys.readouterr().err
    assert message in said
    assert "Subtypes" not in said
