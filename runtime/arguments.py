"""The parser of `python -m …` commands: one spelling of options, and mistakes in one sentence as train.py's."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from runtime.suggestions import did_you_mean, suggest

NUMBERS = {
    "int": "a whole number",
    "float": "a number",
    "seed_number": "a whole number from 0",
    "task_count": "TASK=N with a whole number above 0",
}


class Arguments(argparse.ArgumentParser):
    """ArgumentParser whose options are typed in full, with underscores or hyphens, and which tells mistakes shortly.

    Args:
        module: What follows `python -m`.
        description: What the command does.
        passes_on: Program that gets what follows `--`; None for none.
    """

    def __init__(self, module: str, description: str | None, *, passes_on: str | None = None) -> None:
        self.options: list[str] = []
        self.passes_on = passes_on
        super().__init__(prog=f"python -m {module}", description=description, allow_abbrev=False)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """Add an argument; see argparse."""
        self.options += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **settings)

    def parse_args(self, args: Sequence[str] | None = None) -> argparse.Namespace:  # type: ignore[override]
        """Parse the command line; an unknown option is told before what is missing, as it may be that."""
        words = sys.argv[1:] if args is None else args
        return super().parse_args(self._spell(words))

    def _spell(self, words: Iterable[str]) -> list[str]:
        """Spell options with underscores."""
        spelt: list[str] = []
        for word in (remaining := iter(words)):
            if word == "--":
                return [*spelt, word, *remaining]
            name, is_joined, value = word.partition("=")
            if name.startswith("--") and " " not in name:
                option = f"--{name[2:].replace('-', '_')}"
                if option not in self.options:
                    self.error(f"no flag {name}{self._meant(option)}")
                name = option
            spelt.append(f"{name}{is_joined}{value}")
        return spelt

    def _meant(self, option: str) -> str:
        """Return the question whether another option was meant, or where this one belongs."""
        if self.passes_on and "." in option and option.rpartition(".")[0] not in self._groups():
            return f" (flags of {self.passes_on} come after --)"
        begun = [known for known in self.options if known.startswith(option)]
        if len(begun) == 1:
            return did_you_mean(begun[0])
        return suggest(option[2:], [known[2:] for known in self.options]).replace("did you mean ", "did you mean --")

    def _groups(self) -> set[str]:
        return {name.rpartition(".")[0] for name in self.options if "." in name}

    def error(self, message: str) -> NoReturn:
        """End with one sentence and exit status 2."""
        explained = (explain(message) for explain in EXPLANATIONS)
        print(f"error: {next(filter(None, explained), message)}", file=sys.stderr)
        print(f"All options: {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def seed_number(text: str) -> int:
    """Return the number of a seed; the type of an option.

    Raises:
        ValueError: If it is none, or below 0.
    """
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def task_count(text: str) -> tuple[str, int]:
    """Return the task and the number of `TASK=N`; the type of an option.

    Raises:
        ValueError: If it is none, or the number is 0.
    """
    task, _, number = text.partition("=")
    if not task or not number.isdecimal() or int(number) < 1:
        raise ValueError
    return task, int(number)


def _unrecognized(message: str) -> str | None:
    if not (found := re.fullmatch(r"unrecognized arguments: (.*)", message, re.DOTALL)):
        return None
    word = found[1].split(" ")[0]
    return f"no flag {word}" if word.startswith("-") else f"{found[1]!r} belongs to no flag"


def _missing(message: str) -> str | None:
    if not (found := re.fullmatch(r"the following arguments are required: (.*)", message)):
        return None
    return f"no {' and no '.join(found[1].split(', '))} (expected in the command)"


def _no_value(message: str) -> str | None:
    found = re.fullmatch(r"argument (\S+): expected (one|at least one) argument", message)
    return found and f"{_last(found[1])} has no value (expected {found[2]} after it)"


def _not_chosen(message: str) -> str | None:
    if not (found := re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message)):
        return None
    choices = [choice.strip("'") for choice in found[3].split(", ")]
    return f"{_last(found[1])} is {found[2]}{suggest(found[2], choices)} (expected one of {', '.join(choices)})"


def _no_number(message: str) -> str | None:
    found = re.fullmatch(r"argument (\S+): invalid (\w+) value: '(.*)'", message)
    return f"{_last(found[1])} is {found[3]} (expected {NUMBERS[found[2]]})" if found and found[2] in NUMBERS else None


def _no_switch(message: str) -> str | None:
    found = re.fullmatch(r"argument (\S+): ignored explicit argument '(.*)'", message)
    return found and f"{_last(found[1])} is {found[2]} (expected it without a value)"


def _last(names: str) -> str:
    """Return the last of an option's names: `--config` of `-c/--config`."""
    return names.split("/")[-1]


EXPLANATIONS: tuple[Callable[[str], str | None], ...] = (
    *(_unrecognized, _missing, _no_value, _not_chosen, _no_number, _no_switch),
)
