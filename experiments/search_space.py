"""What a search may change: named options with their ranges, and the candidates drawn from them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from zlib import crc32

import numpy as np

from experiments.options import find_file, split_configs
from experiments.own_rows import NAME, parse_command
from experiments.settings import load_yaml
from runtime.errors import InputError

Kind = Literal["uniform", "log_uniform", "integers", "choice"]
KEYS = ("name", "command", "options")
EXPECTED = "a list of recipes such as - {name: plain, command: -c mine.yaml, options: {…}}"
EXAMPLE = "such as {log_uniform: [1.0e-5, 1.0e-3]} or {choice: [8, 16]}"


@dataclass(frozen=True)
class Range:
    """The values of an option.

    Args:
        kind: `uniform` between two numbers, `log_uniform` (its logarithm is uniform), whole numbers between two, both
            included, or one of a `choice`.
        values: The two ends, or the values to choose from.
    """

    kind: Kind
    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        """Return a value; numbers that are not whole have three significant digits."""
        if self.kind == "choice":
            return self.values[rng.integers(len(self.values))]
        low, high = self.values
        if self.kind == "integers":
            return int(rng.integers(low, high, endpoint=True))
        if self.kind == "log_uniform":
            value = math.exp(rng.uniform(math.log(low), math.log(high)))
        else:
            value = rng.uniform(low, high)
        return min(max(float(f"{value:.3g}"), low), high)


@dataclass(frozen=True)
class Recipe:
    """A training command, and the options of it that a search may change.

    Args:
        name: Its name in the tables, and of a folder.
        configs: The `-c` files of the command, as absolute paths.
        flags: Its other flags.
        options: The range of each option, by the flag's name without `--`.
        origin: Where it is described, for messages.
    """

    name: str
    configs: tuple[Path, ...]
    flags: tuple[str, ...]
    options: Mapping[str, Range]
    origin: str

    def candidates(self, count: int, *, seed: int) -> list[dict[str, Any]]:
        """Return the values of each candidate's options; the first is the command as it stands, with none.

        A value is a function of (seed, candidate, option): recipes that share an option try the same values of it, and
        a larger search begins with the candidates of a smaller one.
        """
        drawn = [
            {
                name: each.draw(np.random.default_rng([seed, number, crc32(name.encode())]))
                for name, each in self.options.items()
            }
            for number in range(1, count)
        ]
        return [{}, *drawn]

    def extremes(self) -> list[dict[str, Any]]:
        """Return values of all options that together hold each value of a choice and both ends of each range."""
        most = max(len(each.values) for each in self.options.values())
        return [
            {name: each.values[min(number, len(each.values) - 1)] for name, each in self.options.items()}
            for number in range(most)
        ]


def as_flags(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a candidate's values as flags of train.py.

    Example:
        >>> as_flags({"model.optimizer.lr": 0.0003, "data.schedule": "Joint", "model.surgery": None})
        ('--model.optimizer.lr=0.0003', '--data.schedule=Joint', '--model.surgery=null')
    """
    return tuple(f"--{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items())


def read_recipes(file: str) -> list[Recipe]:
    """Return the recipes of a file.

    Args:
        file: A YAML file; a list with `name`, `command` and `options` for each recipe.

    Raises:
        InputError: If there is no such file, a recipe or a range is not as expected, or two have the same name.
    """
    found = load_yaml(find_file(file, "search"))
    if not isinstance(found, list) or not found:
        raise InputError(f"{file}: holds {'a ' + type(found).__name__ if found else 'no recipe'} (expected {EXPECTED})")
    recipes = [_build(recipe, f"{file}, recipe {number}") for number, recipe in enumerate(found, start=1)]
    names = [recipe.name for recipe in recipes]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"{recipes[number].origin}: the name {name} appears twice (expected different ones)")
    return recipes


def _build(recipe: Any, origin: str) -> Recipe:
    if not isinstance(recipe, dict) or sorted(recipe, key=str) != sorted(KEYS):
        shown = sorted(map(str, recipe)) if isinstance(recipe, dict) else repr(recipe)
        raise InputError(f"{origin}: holds {shown} (expected {', '.join(KEYS)})")
    name, command, options = (recipe[key] for key in KEYS)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"{origin}: the name is {name!r} (expected letters, digits and _.+-, as it becomes a folder)")
    if not isinstance(command, str):
        raise InputError(f"{origin}: command is {command!r} (expected text such as -c mine.yaml)")
    if not isinstance(options, dict) or not options:
        raise InputError(f"{origin}: options is {options!r} (expected a range for each option, {EXAMPLE})")
    configs, flags = split_configs(parse_command(command, origin), f"{origin}:")
    ranges = {
        str(option).removeprefix("--"): _read_range(str(option), each, origin) for option, each in options.items()
    }
    return Recipe(name, configs, flags, ranges, origin)


def _read_range(option: str, given: Any, origin: str) -> Range:
    where = f"{origin}: {option}"
    if not isinstance(given, dict) or len(given) != 1:
        raise InputError(f"{where} is {given!r} (expected one range, {EXAMPLE})")
    ((kind, values),) = given.items()
    if kind not in get_args(Kind):
        raise InputError(f"{where}: unknown range {kind} (expected one of {', '.join(get_args(Kind))})")
    if not isinstance(values, list) or not values:
        raise InputError(f"{where}: {kind} is {values!r} (expected a list, {EXAMPLE})")
    if kind != "choice":
        _check_ends(kind, values, where)
    return Range(kind, tuple(values))


def _check_ends(kind: Kind, values: Sequence[Any], where: str) -> None:
    numbers = int if kind == "integers" else int | float
    if not (len(values) == 2 and all(isinstance(end, numbers) and not isinstance(end, bool) for end in values)):
        hint = "; YAML reads 1e-5 as text, write 1.0e-5" if any(isinstance(end, str) for end in values) else ""
        raise InputError(f"{where}: {kind} is {list(values)} (expected a lower and an upper number{hint})")
    if not all(map(math.isfinite, values)):
        raise InputError(f"{where}: {kind} is {list(values)} (expected two finite numbers)")
    if not values[0] < values[1] or (kind == "log_uniform" and values[0] <= 0):
        least = "above 0, " if kind == "log_uniform" else ""
        raise InputError(f"{where}: {kind} is {list(values)} (expected two numbers {least}the lower one first)")
