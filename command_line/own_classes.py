"""Classes of the user's own, by their whole path, that cannot be had or do not fit."""

import importlib
import re

from command_line.complaint import Complaint
from runtime.suggestions import suggest

NO_MODULE = re.compile(r"No module named '([\w.]+)'")
NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
OTHER_BASE = re.compile(
    r"Expected '([\w.]+)' to be a subclass of <class '(\w+)'>|"
    r"Import path does not correspond to a subclass of (\w+)"
)
NO_TYPE = re.compile(r"Parameter '(\w+)' from '(?:\w+\.)*(\w+)\.__init__' does not specify a type")


def own_class(complaint: Complaint) -> str | None:
    """Explain a class of the user's own that is not found, has another base, or an option without a type."""
    message, place = complaint.message, complaint.place
    if found := NO_TYPE.search(message):
        option, name = found.groups()
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
    return None
