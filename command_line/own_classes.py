"""Classes of the user's own, by their whole path, that cannot be had or do not fit."""

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from command_line.complaint import Complaint, import_path
from command_line.settings import CLASS_PATH, INIT_ARGS, Setting
from runtime.errors import InputError, reason_of
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
        return f"{place}: {_says_no_type(option, name)}"
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


def refuse_untyped(settings: Any, key: str = "") -> None:
    """Refuse values for options without a type, which nothing could check, of classes that are not installed.

    Args:
        settings: The parsed configuration, or a part of it.
        key: Its dotted name.

    Raises:
        InputError: If an option without a type has another value than by default.
    """
    if isinstance(settings, list | tuple):
        for part in settings:
            refuse_untyped(part, key)
    values = vars(settings) if isinstance(settings, Namespace) else settings
    if not isinstance(values, dict):
        return
    path, given = values.get(CLASS_PATH), values.get(INIT_ARGS)
    if isinstance(path, str) and isinstance(given, Namespace):
        for name in _find_untyped(path):
            if name in given and given[name] != inspect.signature(import_path(path)).parameters[name].default:
                raise InputError(f"{key}: {_says_no_type(name, path.rpartition('.')[2])}")
        values = vars(given)
    for name, below in values.items():
        refuse_untyped(below, f"{key}.{name}" if key else name)


def _find_untyped(path: str) -> list[str]:
    """Return the options of a class or function without a type; none of what is installed, where nobody can add one."""
    found = import_path(path)
    file = getattr(sys.modules.get(getattr(found, "__module__", "")), "__file__", None) or ""
    if not callable(found) or {"site-packages", "dist-packages"} & set(Path(file).parts):
        return []
    options = inspect.signature(found).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in options if each.annotation is inspect.Parameter.empty and each.kind not in kinds]


def _says_no_type(option: str, owner: str) -> str:
    return f"option {option} of {owner} has no type (expected one, as in {option}: float)"


def explain_uninitialised(error: BaseException) -> str | None:
    """Explain that a module was used before its base class was set up; None where the error is another one."""
    from torch import nn

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, AttributeError):
        cause = cause.__cause__ or cause.__context__
    frames = [frame for frame, _ in traceback.walk_tb(cause.__traceback__)] if cause is not None else []
    asked = frames[-1].f_locals.get("self") if frames else None  # torch asks for what Module.__init__ makes
    if not isinstance(asked, nn.Module) or "_modules" in vars(asked):
        return None
    kind = type(asked)
    return (
        f"{kind.__qualname__} does not call super().__init__() ({inspect.getsourcefile(kind)}; expected it first in "
        "its __init__)"
    )


def _lacks(name: str, methods: Iterable[str]) -> str:
    return f"{name} lacks {' and '.join(sorted(methods))} (expected every method that its base class asks for)"
