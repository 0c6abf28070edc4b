"""What is wrong on the command line or in a configuration, in one sentence."""

import ast
import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

from command_line.complaint import CLASS, NO_CLASS, VALUE, Complaint, choosable, import_path, subclasses
from command_line.settings import CLASS_PATH, Setting, class_of, given_settings, misplaced_options
from command_line.wishes import Flags
from tasks import Task
from tasks.source import Source

LITERAL = re.compile(r"Literal\[([^\]]*)\]")
UNKNOWN_KEY = re.compile(
    r"Option '([^']+)' is not accepted|Group '([^']+)' does not accept option '([^']+)'"
    r"|Subcommand '[^']+' does not accept option '([^']+)'"
)
NO_ANSWER = re.compile(
    r"Expected a <class '(NoneType|list)'>$|Expected a path but .* either not accessible or invalid$"
)
MOST_CHOICES = 15  # longer lists help nobody
LIST, MAPPING = "a list, as in '[a, b]'", "a mapping, as in '{name: value}'"
TYPES = {"tuple": LIST, "list": LIST, "dict": MAPPING}
PRECISIONS = {"fp16": "16-mixed", "float16": "16-mixed", "half": "16-mixed", "fp32": "32-true", "float32": "32-true"}


def explain(message: str, flags: Flags, arguments: Sequence[str]) -> str:
    """Return jsonargparse's message in one sentence.

    Args:
        message: What jsonargparse says.
        flags: All flags that there are.
        arguments: The command line.

    Example:
        >>> explain("unrecognized arguments: --data.rot x", Flags(["--data.root", "--data.seed"]), [])
        'no flag --data.rot (did you mean --data.root?)'
    """
    complaint = Complaint(message, given_settings(arguments), flags)
    for explanation in EXPLANATIONS:
        if (sentence := explanation(complaint)) is not None:
            return sentence
    lines = [line.strip().removeprefix("- ") for line in message.removeprefix('Parser key "config": ').splitlines()]
    return "; ".join(line for line in dict.fromkeys(lines) if line and not NO_ANSWER.match(line))


def _unknown_flag(complaint: Complaint) -> str | None:
    if found := re.match(r"unrecognized arguments: (--[^\s=]+)", complaint.message):
        return f"no flag {found[1]}{_meant(complaint.flags.find(found[1]))}"
    if found := re.match(r"unrecognized arguments: (-\w\S+)", complaint.message):
        return f"no flag {found[1]}{_meant(complaint.flags.find(found[1]))}"
    if found := re.match(r"unrecognized arguments: (.*)", complaint.message):
        return f"{found[1]!r} belongs to no flag (expected --NAME VALUE; a value with blanks needs quotes)"
    if found := re.match(r"argument (\S+): expected one argument", complaint.message):
        return f"{found[1].split('/')[-1]} is the last word (expected a value after it)"
    return None


def _linked(complaint: Complaint) -> str | None:
    found = re.match(r'argument \S+ --> (\S+):|Linked "([^"]+)" must be given', complaint.message)
    target = found and (found[1] or found[2])
    if not target or target not in complaint.flags.links:
        return None
    setting = next((one for one in complaint.given if one.key == target), Setting(target, None))
    return f"{setting.where}{target} follows {complaint.flags.links[target]} (expected that to be set)"


def _misplaced(complaint: Complaint) -> str | None:
    found = misplaced_options(complaint.given)
    if found is None:
        return None
    return f"{found.where}{found.key}: {', '.join(found.value)} beside class_path (expected below init_args)"


def _key_twice(complaint: Complaint) -> str | None:
    found = re.search(r"line \d+: (the key .* appears twice.*)", complaint.message)
    return f"{complaint.option}: {found[1]}" if found else None


def _no_tasks(complaint: Complaint) -> str | None:
    if re.search(r'"tasks":\s+Expected a <class \'dict\'>. Got value: None', complaint.message):
        roots = {one.key.split(".")[0]: one.where for one in reversed(complaint.given)}
        wrong = difflib.get_close_matches("tasks", [root for root in roots if root != "tasks"], n=1)
        if wrong:
            return f"{roots[wrong[0]]}there is no setting {wrong[0]} (did you mean tasks?)"
        return "no tasks (expected a configuration that has some, such as -c configs/quickstart.yaml)"
    return None


def _no_class(complaint: Complaint) -> str | None:
    if not re.search(r"is abstract|[Mm]ust include a class_path|Not a valid subclass of ", complaint.message):
        return None
    for one in complaint.given if complaint.option == "tasks" else ():
        first, _, rest = one.key.partition(".")
        name = rest.partition(".")[0]
        if first == "tasks" and name and class_of(name, complaint.given) is None:
            return _classless_task(name, one, complaint)
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


def _classless_task(name: str, setting: Setting, complaint: Complaint) -> str:
    names = sorted(subclasses(Task))
    if setting.where:
        return (
            f"{setting.where}tasks.{name} has no class_path (expected class_path: {' or '.join(names)}, and the "
            "options below init_args)"
        )
    others = {one.key.split(".")[1] for one in complaint.given if one.key.startswith("tasks.")} - {name}
    return (
        f"--tasks.{name}: no task of the configuration{_suggest(name, sorted(others))} "
        f"(a new one needs its class first: --tasks.{name} Classification)"
    )


def _unknown_class(complaint: Complaint) -> str | None:
    found = NO_CLASS.search(complaint.message)
    if found is None:
        return None
    choices = sorted({name for base in choosable(complaint) for name in subclasses(base)})
    if len(choices) == 1:
        options = f"the options of {choices[0]}, as in --{complaint.option}.NAME"
        return f"{complaint.place} is {found[1]!r} (expected {options})"
    expected = f" (expected one of {', '.join(choices)})" if 0 < len(choices) <= MOST_CHOICES else ""
    return f"{complaint.place}: no class {found[1]}{_suggest(found[1], choices)}{expected}"


def _unknown_option(complaint: Complaint) -> str | None:
    message = complaint.message
    if found := re.search(r"Option '([^']+)' is not accepted\. Got value: Namespace\(class_path='([^']+)'", message):
        wrong, path = found.groups()
        owner, options = path.rpartition(".")[2], _options(path, inspect.Parameter.KEYWORD_ONLY)
    elif found := re.search(r"class_path '([^']+)':\s+Option '([^']+)' is not accepted", message):
        path, wrong = found.groups()
        owner, options = path.rpartition(".")[2], _options(path)
        if import_path(path).__subclasses__() and path.startswith("lightning."):
            return _no_class(complaint)  # the base class stands for none
    elif found := re.search(r"class_path '[^']*?(\w+)':\s+Group '(\w+)' does not accept option '([^']+)'", message):
        options = [each.name for each in fields(Source)] if found[2] == "source" else []
        owner, wrong = f"{found[2]} of {found[1]}", found[3]
    else:
        return _unknown_key(complaint)
    inside = f"{complaint.option}.{wrong}", f"{complaint.option}.{owner.split()[0]}.{wrong}"
    setting = complaint.setting(inside[0]) or complaint.setting(inside[1])
    place = f"{setting.where}{setting.key.removesuffix('.' + wrong)}" if setting else complaint.place
    expected = f" (expected one of {', '.join(options)})" if options else ""
    return f"{place}: {owner} has no {wrong}{_suggest(wrong, options)}{expected}"


def _unknown_key(complaint: Complaint) -> str | None:
    """Explain a key of a file that stands outside of tasks and classes."""
    found = UNKNOWN_KEY.search(complaint.message)
    if found is None:
        return None
    key = ".".join(filter(None, found.groups()))
    setting = next((one for one in complaint.given if one.key == key), None)
    where, sought = setting.where if setting else "", complaint.flags.find(key)
    return f"{where}there is no setting {key}{_meant(sought.removeprefix('--') if sought else None)}"


def _missing(complaint: Complaint) -> str | None:
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


def _wrong_value(complaint: Complaint) -> str | None:
    message, value = complaint.message, complaint.value
    if not VALUE.search(message) or not re.search(r"Expected a |Subtypes: ", message):
        return None
    if complaint.setting() is None and value == "None":
        return f"no {complaint.option} (expected in a configuration or as --{complaint.option})"
    types = [name for name in re.findall(r"Expected a <class '(\w+)'>", message) if name != "NoneType"]
    truths = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, bool)]
    if "str" in types and truths:
        reads = f"YAML reads yes, no, on, off, true and false as {truths[0]}"
        return f'{complaint.place}: {reads} (expected quotes, as in "no")'
    choices = [str(one) for text in LITERAL.findall(message) for one in ast.literal_eval(f"[{text}]")]
    if re.search(r"Subtypes: \[dict", message):
        expected = MAPPING
    elif choices:
        expected = _among(list(dict.fromkeys(choices)), is_list="tuple[" in message or isinstance(value, list))
    elif types:
        expected = " or ".join(dict.fromkeys(TYPES.get(name, name) for name in types))
    else:
        return None
    wish = PRECISIONS.get(str(value))
    meant = _meant(wish) if wish in choices else _suggest(str(value), choices)
    return f"{complaint.place} is {value!r}{meant} (expected {expected})"


def _among(choices: Sequence[str], *, is_list: bool) -> str:
    many = "a list of " if is_list else "one of " if len(choices) > 1 else ""
    return f"{many}{', '.join(choices)}"


def _no_group(complaint: Complaint) -> str | None:
    if found := re.search(r"Unable to load config '?\"?([^'\"]*)", complaint.message):
        setting = complaint.setting()
    elif found := re.search(r"Subclasses are disabled .* thus '([^']+)' is not accepted", complaint.message):
        setting = next((one for one in complaint.given if one.value == found[1]), None)
    else:
        return None
    where, key = (setting.where, setting.key) if setting else ("", complaint.option)
    return f"{where}{key} is {found[1]!r} (expected its options, as in --{key}.NAME, or a file of them)"


EXPLANATIONS: tuple[Callable[[Complaint], str | None], ...] = (
    _unknown_flag,
    _linked,
    _misplaced,
    _key_twice,
    _no_tasks,
    _missing,
    _unknown_class,
    _unknown_option,
    _no_class,
    _no_group,
    _wrong_value,
)


def _meant(flag: str | None) -> str:
    return f" (did you mean {flag}?)" if flag else ""


def _suggest(name: str, choices: Iterable[str]) -> str:
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return _meant(by_lower[close[0]] if close else None)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _options(path: str, kind: Any = None) -> list[str]:
    """Return the names of a class's options; `kind` leaves out what its user cannot set."""
    parameters = inspect.signature(import_path(path)).parameters.values()
    return [each.name for each in parameters if each.name != "self" and kind in (None, each.kind)]
