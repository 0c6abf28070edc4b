"""The configuration that a row of a table ends up with."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.row import Row
from experiments.rows import lay_recipe
from runtime.strict_yaml import LOADER
from tests.cli.command_line import CommandLine


def layers(row: Row, *, recipe: Path | None = None) -> list[str]:
    """Return the `-c` flags of a row, with a file laid over the recipe."""
    return [word for path in lay_recipe(row, recipe) for word in ("-c", str(path))]


def read_config(train: CommandLine, *flags: str) -> dict[str, Any]:
    """Return the configuration that flags of `fit` end up with."""
    with contextlib.redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit) as ended:
        train.raw("fit", *flags, "--print_config")
    assert ended.value.code == 0
    return dict(yaml.load(shown.getvalue(), Loader=LOADER))
