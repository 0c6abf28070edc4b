"""What is wrong on the command line or in a configuration, in one sentence."""

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Iterable
from copy import copy
from dataclasses import fields
from typing import Any, NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from tasks.source import Source, as_whole_map

KEY = re.compile(r'Parser key "([^"]+)"')
DOTTED = re.compile(r"\b((?:[a-z_]\w*\.)+)([A-Z]\w*)")
NO_ANSWER = re.compile(
    r"Expected a <class '(NoneType|list)'>$|Expected a path but .* either not accessible or invalid$"
)
TASK_FLAG = re.compile(r"--tasks\.([^.=]+)\.")


class Parser(LightningArgumentParser):
    """LightningArgumentParser that says what is wrong and what was expected, without the hundred lines of usage."""

    def parse_object(self, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Parse the options of a class; a map for a task's `source` replaces that of a preset.

        jsonargparse hands over a map as a dict, and one key of it (`--tasks.NAME.source.test`) as a Namespace.
        """
        if isinstance(obj.get("source"), dict):
            obj = copy(obj)
            obj["source"] = as_whole_map(obj["source"])
        return super().parse_object(obj, *args, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """End with one sentence and exit status 2."""
        if not self.exit_on_error:
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self
        print(f"error: {explain(message, parser._option_string_actions, sys.argv[1:])}", file=sys.stderr)
        print(f"All options: {parser.prog.replace(' [options]', '')} --help", file=sys.stderr)
        sys.exit(2)


def explain(message: str, flags: Iterable[str], arguments: Iterable[str]) -> str:
    """Return jsonargparse's message in one sentence.

    Args:
        message: What jsonargparse says.
        flags: All flags that there are.
        arguments: The command line.

    Example:
        >>> explain("unrecognized arguments: --data.rot x", ["--data.root", "--data.seed"], [])
        'no flag --data.rot (did you mean --data.root?)'
    """
    key = ".".join(KEY.findall(message)) or "the command line"
    if found := re.match(r"unrecognized arguments: (--[^\s=]+)", message):
        return f"no flag {found[1]}{_suggest(found[1], flags)}"
    if re.search(r'"tasks":\s+Expected a <class \'dict\'>. Got value: None', message):
        return "no tasks (expected a configuration that has some, such as -c configs/quickstart.yaml)"
    if "tasks.Task is abstract" in message:
        names = dict.fromkeys(name for argument in arguments for name in TASK_FLAG.findall(argument))
        return (
            f"--tasks.{{{', '.join(names)}}}: not all are tasks of the configuration "
            "(a new one needs its class first: --tasks.NAME=Sst)"
        )
    if found := re.search(r"Expected a dot import path string: (\S+)", message):
        choices = sorted({name for base in _bases(message, key) for name in _subclasses(base)})
        expected = f" (expected one of {', '.join(choices)})" if choices else ""
        return f"{key}: no class {found[1]}{_suggest(found[1], choices)}{expected}"
    if found := re.search(r"must include a class_path and optionally init_args, but got Namespace\((\w+)", message):
        return f"{key}: {found[1]} is an option of a class that is not named (expected {_named(key, found[1])})"
    if found := re.search(r"class_path '([^']+)':\s+Option '([^']+)' is not accepted", message):
        options = [name for name in inspect.signature(_import(found[1])).parameters if name != "self"]
        name = found[1].rpartition(".")[2]
        return f"{key}: {name} has no {found[2]}{_suggest(found[2], options)} (expected one of {', '.join(options)})"
    if found := re.search(r"class_path '[^']*?(\w+)':\s+Group '(\w+)' does not accept option '([^']+)'", message):
        options = [field.name for field in fields(Source)] if found[2] == "source" else []
        expected = f" (expected one of {', '.join(options)})" if options else ""
        return f"{key}: {found[2]} of {found[1]} has no {found[3]}{_suggest(found[3], options)}{expected}"
    if found := re.search(r"Expected a <class 'str'>.*Given value: (True|False)$", message, re.MULTILINE | re.DOTALL):
        return f'{key}: YAML reads yes, no, on, off, true and false as {found[1]} (expected quotes, as in "no")'
    if found := re.search(r"Subtypes: \[dict[\s\S]*type: <class 'str'>\s+Given value: (.*)", message):
        return f"{key} is {found[1]!r} (expected a mapping, as in '{{name: value}}')"
    if found := re.search(r"Expected a <class '(\w+)'>. Got value: (.*)$", message, re.MULTILINE):
        return f"{key} is {found[2]!r} (expected {found[1]})"
    lines = [line.strip().removeprefix("- ") for line in message.removeprefix('Parser key "config": ').splitlines()]
    kept = [line for line in dict.fromkeys(lines) if line and not NO_ANSWER.match(line)]
    return "\n  ".join(kept)


def _named(key: str, option: str) -> str:
    flag = "--" + ("tasks.NAME.head" if key == "tasks.head" else key)
    return f"{flag} LinearHead {flag}.{option} ..." if key.endswith("head") else f"{flag} CLASS {flag}.{option} ..."


def _suggest(name: str, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(choices), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _bases(message: str, key: str) -> list[type]:
    """Return the abstract classes that a message names, or what `--tasks` takes."""
    found = [_import(module + name) for module, name in DOTTED.findall(message)]
    bases = [each for each in found if inspect.isclass(each) and inspect.isabstract(each)]
    return bases or ([_import("tasks.Task")] if key == "tasks" else [])


def _subclasses(base: type) -> list[str]:
    """Return the names of all classes that can be chosen where a base class is asked for."""
    children: list[type] = base.__subclasses__()
    below = [name for child in children for name in _subclasses(child)]
    return below if inspect.isabstract(base) else [base.__name__, *below]


def _import(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
