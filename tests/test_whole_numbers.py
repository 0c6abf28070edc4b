"""A whole number stays one on the command line, whichever library was imported first."""

from typing import Any, get_args

import lightning.pytorch as L
import pytest
from jsonargparse import ArgumentParser
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lightning_internals import put_int_first


class Limited:
    def __init__(
        self,
        limit: float | int | None = None,
        version: str | int | None = None,
        devices: list[int] | str | int = "auto",
        share: float | int = 1,
    ) -> None:
        self.given: Any = (limit, version, devices, share)


def test_an_option_that_is_a_number_or_a_share_is_a_number_where_it_is_whole() -> None:
    """`limit_val_batches 1` is one batch and `1.0` are all."""
    put_int_first(Limited.__init__)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Limited, "l")
    found = parser.parse_args(["--l.limit", "1", "--l.version", "5", "--l.devices", "2", "--l.share", "2"]).l
    assert (found.limit, found.version, found.devices, found.share) == (1, 5, "2", 2)
    assert (type(found.limit), type(found.share)) == (int, int)
    assert parser.parse_args(["--l.limit", "0.5", "--l.version", "big"]).l.limit == 0.5
    assert parser.parse_args(["--l.limit", "null"]).l.limit is None


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (L.Trainer, ["limit_train_batches", "limit_val_batches", "limit_test_batches", "limit_predict_batches"]),
        (TensorBoardLogger, ["version"]),
        (CSVLogger, ["version"]),
    ],
)
def test_lightnings_own_options_are_such(kind: Any, names: list[str]) -> None:
    for name in names:
        assert get_args(kind.__init__.__annotations__[name])[0] is int
