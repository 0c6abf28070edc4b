"""A message of jsonargparse, taken apart: what was refused, where the user set it, and what could be chosen."""

import importlib
import inspect
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from command_line.settings import Setting, class_of
from command_line.wishes import Flags
from tasks import Task

KEY = re.compile(r'Parser key "([^"]+)"')
DOTTED = re.compile(r"\b((?:[a-z_]\w*\.)+)([A-Z]\w*)")
CLASS = re.compile(r"Problem with given class_path '(?:\w+\.)*(\w+)'")
NO_CLASS = re.compile(r"Expected a dot import path string: (\S+)")
VALUE = re.compile(r"(?:Got|Given) value: (.*)$", re.MULTILINE)
NOT_CHOSEN = ("collections.", "jsonargparse.")


@dataclass(frozen=True)
class Complaint:
    """What jsonargparse says, taken apart.

    Args:
        message: The whole of it.
        given: What the user set.
        flags: The flags that there are.
    """

    message: str
    given: Sequence[Setting]
    flags: Flags

    @property
    def option(self) -> str:
        """Dotted name of the option, without the names of tasks."""
        return ".".join(key for key in dict.fromkeys(KEY.findall(self.message)) if key != "config")

    @property
    def value(self) -> Any:
        """The value that was refused: the one that the user set, or what the message says."""
        found, said = self.setting(), VALUE.findall(self.message)
        return found.value if found else said[-1] if said else None

    @property
    def place(self) -> str:
        """File, line and dotted name of what was refused, as a sentence begins."""
        found = self.setting()
        return f"{found.where}{found.key}" if found else self.option or "the command line"

    def setting(self, option: str | None = None, *, below: bool = False) -> Setting | None:
        """Return what the user set there; of several tasks the one of the class that is named, and with the value.

        Args:
            option: Dotted name without the name of a task; None for that of the message.
            below: Whether what is set below it will do too.
        """
        first, _, rest = (option or self.option).partition(".")
        name = r"\.(?P<task>[^.]+)" if first == "tasks" else "(?P<task>)"
        name = name if rest or below else f"({name})?"
        rest = f"\\.{re.escape(rest)}" if rest else ""
        tail = r"(\..+)?" if below else ""
        pattern = re.compile(re.escape(first) + name + rest + tail)
        matches = [(one, found["task"]) for one in self.given if (found := pattern.fullmatch(one.key))]
        if first == "tasks" and (owners := CLASS.findall(self.message)):
            matches = [pair for pair in matches if class_of(pair[1], self.given) == owners[0]] or matches
        said = [*VALUE.findall(self.message), *NO_CLASS.findall(self.message)]
        with_value = [one for one, _ in matches if str(one.value) in said]
        chosen = with_value or [one for one, _ in matches]
        return chosen[-1] if chosen else None


def choosable(complaint: Complaint) -> list[type]:
    """Return the classes that a message asks for a child of, or what `--tasks` takes."""
    asked = re.sub(
        r"(?:\w+\.)*Callable\[\[.*?\], |class_path '\S+'", "", complaint.message
    )  # what builds it is no choice
    paths = [(module, name) for module, name in DOTTED.findall(asked) if not module.startswith(NOT_CHOSEN)]
    found = [import_path(module + name) for module, name in paths]
    classes: list[type] = [each for each in dict.fromkeys(found) if inspect.isclass(each)]
    abstract: list[type] = [each for each in classes if inspect.isabstract(each)]
    return abstract or classes or ([Task] if complaint.option == "tasks" else [])


def subclasses(base: type) -> list[str]:
    """Return the names of all classes that can be chosen where a base class is asked for."""
    children: list[type] = base.__subclasses__()
    below = [name for child in children for name in subclasses(child)]
    top = base.__module__.partition(".")[0]
    is_inner = top != "lightning" and not hasattr(sys.modules.get(top), base.__name__)
    return below if inspect.isabstract(base) or is_inner else [base.__name__, *below]


def import_path(path: str) -> Any:
    """Return what a dotted path names; None if nothing."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
