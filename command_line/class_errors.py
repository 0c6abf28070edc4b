"""Classes that there are not, and options that a class has not or lacks."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from command_line.complaint import CLASS, NO_CLASS, Complaint, choosable, import_path, subclasses
from command_line.flag_errors import unknown_key
from command_line.settings import CLASS_PATH, Setting, class_of
from runtime.suggestions import suggest
from tasks import Task
from tasks.labels import list_names
from tasks.source import Source

MOST_CHOICES = 15  # longer lists help nobody


def no_class(complaint: Complaint) -> str | None:
    """Explain options of which the class is not said."""
    if not re.search(r"is abstract|[Mm]ust include a class_path|Not a valid subclass of ", complaint.message):
        return None
    if (sentence := _classless_task(complaint)) is not None:
        return sentence
    found = complaint.setting(below=True)
    if found is not None and isinstance(found.value, list):  # of a list the first that has no class
        items = [one for one in complaint.given if one.key == found.key and isinstance(one.value, dict)]
        found = next((one for one in items if CLASS_PATH not in one.value), None)
    if found is None:
        return None
    if isinstance(found.value, dict):
        key, names = found.key, [str(name) for name in found.value if name != "init_args"]
    else:
        key, _, last = found.key.rpartition(".")
        names = [last]
    choices = sorted({name for base in choosable(complaint) for name in subclasses(base)})
    expected = f": one of {', '.join(choices)}" if 0 < len(choices) <= MOST_CHOICES else ""
    expected = f"--{key} CLASS first{expected}"
    if found.where:
        expected = expected.replace(f"--{key} CLASS first", "class_path") + "; options below init_args"
    return f"{found.where}{key}: {', '.join(names) or 'init_args'} without a class (expected {expected})"


def _classless_task(complaint: Complaint, *, value: str | None = None) -> str | None:
    """Explain options of a task whose class nobody has said yet, in the order of the command line.

    Args:
        complaint: The complaint.
        value: What was taken for a class: it is the value of such an option.
    """
    for place, one in enumerate(complaint.given if complaint.option == "tasks" else ()):
        first, _, rest = one.key.partition(".")
        name, _, option = rest.partition(".")
        if first != "tasks" or not name or (value is not None and not (option and str(one.value).startswith(value))):
            continue
        said = complaint.given if one.where else complaint.given[: place + 1]  # a file says it in any order
        if class_of(name, said) is None:
            return _describe_classless(name, one, complaint)
    return None


def _describe_classless(name: str, setting: Setting, complaint: Complaint) -> str:
    names = sorted(subclasses(Task))
    if setting.where:
        return (
            f"{setting.where}tasks.{name} has no class_path (expected class_path: {' or '.join(names)}, and the "
            "options below init_args)"
        )
    if class_of(name, complaint.given) is not None:
        return f"--{setting.key} stands before what says the class of task {name} (expected -c FILE or the class first)"
    others = dict.fromkeys(one.key.split(".")[1] for one in complaint.given if one.key.startswith("tasks."))
    known = [other for other in others if class_of(other, complaint.given) is not None]
    expected = f"expected one of {list_names(known)}; " if known else ""
    return (
        f"--tasks.{name}: no task of the configuration{suggest(name, known)} "
        f"({expected}a new one needs its class first: --tasks.{name} Classification)"
    )


def unknown_class(complaint: Complaint) -> str | None:
    """Explain a class that there is not."""
    found = NO_CLASS.search(complaint.message)
    if found is None:
        return None
    if (sentence := _classless_task(complaint, value=found[1])) is not None:
        return sentence
    choices = sorted({name for base in choosable(complaint) for name in subclasses(base)})
    if len(choices) == 1:
        setting = complaint.setting()
        options = f"the options of {choices[0]}, as in --{setting.key if setting else complaint.option}.NAME"
        return f"{complaint.place} is {found[1]!r} (expected {options})"
    expected = f" (expected one of {', '.join(choices)})" if 0 < len(choices) <= MOST_CHOICES else ""
    return f"{complaint.place}: no class {found[1]}{suggest(found[1], choices)}{expected}"


def unknown_option(complaint: Complaint) -> str | None:
    """Explain an option that a class, or the whole configuration, does not have."""
    message = complaint.message
    if found := re.search(r"Option '([^']+)' is not accepted\. Got value: Namespace\(class_path='([^']+)'", message):
        wrong, path = found.groups()
        owner, options = path.rpartition(".")[2], _options(path, inspect.Parameter.KEYWORD_ONLY)
    elif found := re.search(r"class_path '([^']+)':\s+Option '([^']+)' is not accepted", message):
        path, wrong = found.groups()
        owner, options = path.rpartition(".")[2], _options(path)
        chosen = import_path(path)  # a class, or a function that builds one
        if path.startswith("lightning.") and isinstance(chosen, type) and chosen.__subclasses__():
            return no_class(complaint)  # the base class stands for none
    elif found := re.search(r"class_path '[^']*?(\w+)':\s+Group '(\w+)' does not accept option '([^']+)'", message):
        options = [each.name for each in fields(Source)] if found[2] == "source" else []
        owner, wrong = f"{found[2]} of {found[1]}", found[3]
    else:
        return unknown_key(complaint)
    inside = f"{complaint.option}.{wrong}", f"{complaint.option}.{owner.split()[0]}.{wrong}"
    setting = complaint.setting(inside[0]) or complaint.setting(inside[1])
    place = f"{setting.where}{setting.key.removesuffix('.' + wrong)}" if setting else complaint.place
    expected = f" (expected one of {', '.join(options)})" if options else ""
    return f"{place}: {owner} has no {wrong}{suggest(wrong, options)}{expected}"


def missing(complaint: Complaint) -> str | None:
    """Explain options without a default that are not given."""
    found = re.search(r"the following arguments are required: (.*)", complaint.message)
    if found is None:
        return None
    names = [name.rpartition(".")[2] for name in found[1].split(", ")]
    if not (owners := CLASS.findall(complaint.message)):
        return f"no {' and no '.join(found[1].split(', '))} (expected in a configuration or as a flag)"
    place = complaint.place
    if complaint.option == "tasks":
        for one in complaint.given:
            name = one.key.removeprefix("tasks.")
            is_chosen = "." not in name and name != one.key and class_of(name, complaint.given) == owners[-1]
            if is_chosen and not all(any(o.key == f"{one.key}.{n}" for o in complaint.given) for n in names):
                place = f"{one.where}{one.key}"
                break
    return f"{place}: {owners[-1]} lacks {_listed(names)} (expected a value for each option without a default)"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _options(path: str, kind: Any = None) -> list[str]:
    """Return the names of a class's options; `kind` leaves out what its user cannot set."""
    parameters = inspect.signature(import_path(path)).parameters.values()
    return [each.name for each in parameters if each.name != "self" and kind in (None, each.kind)]
