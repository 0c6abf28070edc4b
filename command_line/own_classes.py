"""Classes of the user's own, by their whole path, that cannot be had or do not fit."""

import importlib
import inspect
import re
import traceback
from collections.abc import Iterable
from typing import Any

from command_line.complaint import Complaint
from command_line.settings import Setting
from runtime.errors import reason_of
from runtime.suggestions import suggest

WHOLE_PATH = re.compile(r"(?:\w+\.)+[A-Z]\w*")
NO_MODULE = re.compile(r"No module named '([\w.]+)'")
NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
OTHER_BASE = re.compile(
    r"Expected '([\w.]+)' to be a subclass of <class '(\w+)'>|"
    r"Import path does not correspond to a subclass of (\w+)"
)
ABSTRACT = re.compile(  # as Python 3.11, and as later ones
    r"Can't instantiate abstract class (\w+) with(?:out an implementation for)? abstract methods? (.*)"
)
NO_TYPE = re.compile(r"Parameter '(\w+)' from '((?:\w+\.)*(\w+))\.__init__' does not specify a type")


def own_class(complaint: Complaint) -> str | None:
    """Explain a class of the user's own that is not found, has another base, or an option without a type."""
    message, place = complaint.message, complaint.place
    if found := NO_TYPE.search(message):
        option, path, name = found.groups()
        chosen = next((one for one in _whole_paths(complaint) if one.value == path), None)
        place = place if chosen is None else f"{chosen.where}{chosen.key}"
        return f"{place}: option {option} of {name} has no type (expected one, as in {option}: float)"
    if found := NO_ATTRIBUTE.search(message):
        module, name = found.groups()
        return f"{place}: no {name} in {module}{suggest(name, dir(importlib.import_module(module)))}"
    if found := NO_MODULE.search(message):
        expected = "the folder that holds it in the environment variable PYTHONPATH, or an installed package"
        return f"{place}: no module {found[1]} (expected {expected})"
    if found := OTHER_BASE.search(message):
        path, *bases = found.groups()
        return f"{place}: {path or complaint.value} is no {bases[0] or bases[1]} (expected a subclass of it)"
    return next(filter(None, map(_explain_class, _whole_paths(complaint))), None)


def _whole_paths(complaint: Complaint) -> list[Setting]:
    """Return the settings that name a class of a message by its whole path."""
    named = [one for one in complaint.given if isinstance(one.value, str) and WHOLE_PATH.fullmatch(one.value)]
    return [one for one in named if re.search(rf"(?<![\w.]){re.escape(one.value)}\b", complaint.message)]


def _explain_class(chosen: Setting) -> str | None:
    """Explain a class whose module fails when it is imported, or that leaves out what its base class asks for."""
    module, _, name = chosen.value.rpartition(".")
    place = f"{chosen.where}{chosen.key}"
    try:
        found: type[Any] = getattr(importlib.import_module(module), name, object)
    except ImportError as error:
        return None if isinstance(error, ModuleNotFoundError) else f"{place}: {_describe_import(module, error)}"
    except Exception as error:  # whatever the user's module raises
        return f"{place}: {_describe_import(module, error)}"
    return f"{place}: {_lacks(name, found.__abstractmethods__)}" if inspect.isabstract(found) else None


def _describe_import(module: str, error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    file, line = (error.filename, error.lineno) if isinstance(error, SyntaxError) else (last.filename, last.lineno)
    return f"{module} cannot be imported ({file}, line {line}: {reason_of(error)})"


def explain_abstract(error: TypeError) -> str | None:
    """Explain that a class cannot be built because it leaves out what its base class asks for.

    Example:
        >>> explain_abstract(TypeError("Can't instantiate abstract class Mine with abstract methods factors, forward"))
        'Mine lacks factors and forward (expected every method that its base class asks for)'
    """
    found = ABSTRACT.match(str(error))
    return None if found is None else _lacks(found[1], re.findall(r"\w+", found[2]))


def _lacks(name: str, methods: Iterable[str]) -> str:
    return f"{name} lacks {' and '.join(sorted(methods))} (expected every method that its base class asks for)"
