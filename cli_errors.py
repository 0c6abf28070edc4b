"""What is wrong on the command line or in a configuration, in one sentence."""

import ast
import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace, get_loader, set_loader
from lightning.pytorch.cli import LightningArgumentParser
from yaml import YAMLError

from cli_help import EPILOG, short, task_help
from cli_settings import CLASS_PATH, Setting, class_of, given_settings, misplaced_options
from cli_wishes import Flags
from runtime.strict_yaml import check_keys, read_yaml_file
from tasks import InputError, Task
from tasks.source import Source, as_whole_map

KEY = re.compile(r'Parser key "([^"]+)"')
DOTTED = re.compile(r"\b((?:[a-z_]\w*\.)+)([A-Z]\w*)")
CLASS = re.compile(r"Problem with given class_path '(?:\w+\.)*(\w+)'")
NO_CLASS = re.compile(r"Expected a dot import path string: (\S+)")
LITERAL = re.compile(r"Literal\[([^\]]*)\]")
VALUE = re.compile(r"(?:Got|Given) value: (.*)$", re.MULTILINE)
UNKNOWN_KEY = re.compile(
    r"Option '([^']+)' is not accepted|Group '([^']+)' does not accept option '([^']+)'"
    r"|Subcommand '[^']+' does not accept option '([^']+)'"
)
NO_ANSWER = re.compile(
    r"Expected a <class '(NoneType|list)'>$|Expected a path but .* either not accessible or invalid$"
)
NOT_CHOSEN = ("collections.", "jsonargparse.")
MOST_CHOICES = 15  # longer lists help nobody
LIST, MAPPING = "a list, as in '[a, b]'", "a mapping, as in '{name: value}'"
TYPES = {"tuple": LIST, "list": LIST, "dict": MAPPING}
PRECISIONS = {"fp16": "16-mixed", "float16": "16-mixed", "half": "16-mixed", "fp32": "32-true", "float32": "32-true"}

load_value = get_loader("yaml")


def load_strictly(text: str) -> Any:
    """Return what jsonargparse reads in YAML; a key that appears twice is an error in flags and nested files too."""
    try:
        check_keys(text)
    except ValueError as error:
        raise InputError(str(error)) from None
    return load_value(text)


set_loader("yaml", load_strictly, exceptions=(YAMLError,))


class Parser(LightningArgumentParser):
    """LightningArgumentParser that says what is wrong and what was expected, without the hundred lines of usage."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.links: dict[str, str] = {}
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def parse_object(self, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Parse the options of a class; a map for a task's `source` replaces that of a preset.

        jsonargparse hands over a map as a dict, and one key of it (`--tasks.NAME.source.test`) as a Namespace.
        """
        if isinstance(obj.get("source"), dict):
            obj = copy(obj)
            obj["source"] = as_whole_map(obj["source"])
        return super().parse_object(obj, *args, **kwargs)

    def parse_args(self, args: Any = None, *rest: Any, **kwargs: Any) -> Namespace:  # type: ignore[override]
        """Parse the command line; what is no YAML in a file that a flag names is told by file and line."""
        for value in nested_files(sys.argv[1:] if args is None else args):
            read_settings_file(value)
        return super().parse_args(args, *rest, **kwargs)

    def parse_path(self, path: Any, *args: Any, **kwargs: Any) -> Namespace:
        """Parse a configuration file; what is no YAML, or has a key twice, is told by file and line."""
        read_settings_file(Path(str(path)))
        return super().parse_path(path, *args, **kwargs)

    def link_arguments(self, source: Any, target: str, *args: Any, **kwargs: Any) -> None:
        """Make a setting follow another one; nobody is told to set it."""
        super().link_arguments(source, target, *args, **kwargs)
        if isinstance(source, str):
            self.links[target] = source

    def format_help(self, *args: Any) -> str:
        """Return the help of a command: our settings and Lightning's usual ones, or all with `--help_all`."""
        if "--help_all" not in self._option_string_actions or "--help_all" in sys.argv:
            return str(super().format_help(*args))
        with short(self):
            return f"{super().format_help(*args)}\n{task_help(Task)}\n\n{EPILOG}\n"

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """End with one sentence and exit status 2."""
        if not self.exit_on_error:
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self
        flags = Flags(parser._option_string_actions, getattr(parser, "links", {}), task_options())
        print(f"error: {explain(message, flags, sys.argv[1:])}", file=sys.stderr)
        print(f"All options: {parser.prog.replace(' [options]', '')} --help", file=sys.stderr)
        sys.exit(2)


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
        return (with_value or [one for one, _ in matches] or [None])[-1]


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
    return f"{complaint.place}: {found[1]}" if found else None


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
    choices = sorted({name for base in _bases(complaint) for name in _subclasses(base)})
    expected = f": one of {', '.join(choices)}" if 0 < len(choices) <= MOST_CHOICES else ""
    expected = f"--{key} CLASS first{expected}"
    if found.where:
        expected = expected.replace(f"--{key} CLASS first", "class_path") + "; options below init_args"
    return f"{found.where}{key}: {', '.join(names) or 'init_args'} without a class (expected {expected})"


def _classless_task(name: str, setting: Setting, complaint: Complaint) -> str:
    names = sorted(_subclasses(Task))
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
    choices = sorted({name for base in _bases(complaint) for name in _subclasses(base)})
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
        if _import(path).__subclasses__() and path.startswith("lightning."):
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


def nested_files(arguments: Sequence[str]) -> list[Path]:
    """Return the YAML files that flags other than `--config` name, such as `--trainer FILE`."""
    values = [argument.partition("=")[2] or argument for argument in arguments]
    paths = [Path(value) for value in values if value.endswith((".yaml", ".yml"))]
    return [path for path in paths if path.is_file()]


def read_settings_file(path: Path) -> None:
    """Read a file of settings.

    Raises:
        InputError: If it is no YAML or no mapping, or a mapping has a key twice.
    """
    try:
        found = read_yaml_file(path)
    except ValueError as error:
        raise InputError(str(error)) from None
    if not isinstance(found, dict):
        holds = "is empty" if found is None else f"holds a {type(found).__name__}"
        raise InputError(f"{path}: {holds} (expected settings by name, as in model: …)")


def failing_task(tasks: Mapping[str, Any]) -> str | None:
    """Return the name of the first task that cannot be built from its settings; None if all can."""
    for name, settings in tasks.items():
        parser = ArgumentParser(exit_on_error=False)
        parser.add_argument("--tasks", type=dict[str, Task])
        try:
            parser.instantiate(parser.parse_object({"tasks": {name: settings}}))
        except (ValueError, OSError):
            return name
    return None


def name_task(task: str, reason: str) -> str:
    """Return a class's complaint with the name of the task, of which there may be several of that class.

    Example:
        >>> name_task("films", "Classification: weight is -1 (expected 0 or more)")
        'tasks.films: weight is -1 (expected 0 or more)'
    """
    said = re.sub(r"^[A-Z]\w+: ", "", reason)
    return f"tasks.{task}: {said}"


def task_options() -> list[str]:
    """Return the names of the options that tasks have."""
    return [name for name in inspect.signature(Task).parameters if name != "self"]


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
    parameters = inspect.signature(_import(path)).parameters.values()
    return [each.name for each in parameters if each.name != "self" and kind in (None, each.kind)]


def _bases(complaint: Complaint) -> list[type]:
    """Return the classes that a message asks for a child of, or what `--tasks` takes."""
    asked = re.sub(
        r"(?:\w+\.)*Callable\[\[.*?\], |class_path '\S+'", "", complaint.message
    )  # what builds it is no choice
    paths = [(module, name) for module, name in DOTTED.findall(asked) if not module.startswith(NOT_CHOSEN)]
    found = [_import(module + name) for module, name in paths]
    classes = [each for each in dict.fromkeys(found) if inspect.isclass(each)]
    abstract = [each for each in classes if inspect.isabstract(each)]
    return abstract or classes or ([Task] if complaint.option == "tasks" else [])


def _subclasses(base: type) -> list[str]:
    """Return the names of all classes that can be chosen where a base class is asked for."""
    children: list[type] = base.__subclasses__()
    below = [name for child in children for name in _subclasses(child)]
    top = base.__module__.partition(".")[0]
    is_inner = top != "lightning" and not hasattr(sys.modules[top], base.__name__)
    return below if inspect.isabstract(base) or is_inner else [base.__name__, *below]


def _import(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
