"""The parser of train.py and pretrain.py: strict YAML, no abbreviated flags, short help, mistakes in one sentence."""

import inspect
import re
import sys
from argparse import ArgumentError
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace, get_loader, set_loader
from lightning.pytorch.cli import LightningArgumentParser
from yaml import YAMLError

from command_line.errors import explain
from command_line.flag_errors import follows
from command_line.help import EPILOG, short, task_help
from command_line.settings import Setting, find_misshapen, read_settings
from command_line.value_errors import no_options
from command_line.wishes import Flags
from runtime.strict_yaml import check_keys, read_yaml_file
from runtime.whole_files import replacing_path
from tasks import InputError, Task
from tasks.source import as_whole_map

load_value = get_loader("yaml")


def load_strictly(text: str) -> Any:
    """Return what jsonargparse reads in YAML; a key that appears twice is an error in flags and nested files too."""
    if ":" in text:  # else there is no mapping
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
        if isinstance(obj.get("source", {}), list | None):
            raise InputError(no_options("source", obj["source"]))
        if isinstance(obj.get("source"), dict):
            obj = copy(obj)
            obj["source"] = as_whole_map(obj["source"])
        return super().parse_object(obj, *args, **kwargs)

    def parse_args(self, args: Any = None, *rest: Any, **kwargs: Any) -> Namespace:  # type: ignore[override]
        """Parse the command line; what is no YAML in a file that a flag names is told by file and line."""
        for value in nested_files(sys.argv[1:] if args is None else args):
            read_settings_file(value)
        parsed: Namespace = super().parse_args(args, *rest, **kwargs)
        return parsed

    def parse_path(self, path: Any, *args: Any, **kwargs: Any) -> Namespace:
        """Parse a configuration file; no YAML, a key twice and what may not be set are told by file and line."""
        read_settings_file(Path(str(path)))
        given = read_settings(Path(str(path)))
        refuse_linked(given, self.links)
        refuse_misshapen(given, self._option_string_actions)
        parsed: Namespace = super().parse_path(path, *args, **kwargs)
        return parsed

    def validate(self, namespace: Namespace, skip_unset: bool = True, *args: Any, **kwargs: Any) -> None:
        """Check all values, None too, which jsonargparse takes for one not given; what is missing is told first."""
        try:
            super().validate(namespace, False, *args, **kwargs)
        except (TypeError, KeyError):
            super().validate(namespace, True, *args, **kwargs)
            raise

    def save(self, namespace: Namespace, path: str | Path, *args: Any, **kwargs: Any) -> None:
        """Write a configuration, which was checked when it was read: once more takes a quarter of a second."""
        with replacing_path(Path(path)) as partial:
            super().save(namespace, partial, *args, skip_validation=True, **kwargs)

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
        print(f"error: {parser.explain(message, sys.argv[1:])}", file=sys.stderr)
        print(f"All options: {parser.prog.replace(' [options]', '')} --help", file=sys.stderr)
        sys.exit(2)

    def explain(self, message: str, arguments: Sequence[str]) -> str:
        """Return a message of this parser in one sentence.

        Args:
            message: What jsonargparse says.
            arguments: The command line.
        """
        return explain(message, Flags(self._option_string_actions, self.links, task_options()), arguments)


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


def refuse_linked(given: Iterable[Setting], links: Mapping[str, str]) -> None:
    """Refuse a setting of a file that follows another one, which would overrule it without a word.

    Args:
        given: What the file sets.
        links: Settings that follow another one: by name, the one that they follow.

    Raises:
        InputError: If it has one.
    """
    for one in given:
        if one.key in links:
            raise InputError(f"{one.where}{follows(one.key, links)}")


def refuse_misshapen(given: Sequence[Setting], flags: Iterable[str]) -> None:
    """Refuse a key of a file that has nothing, or a list or number, where options are expected.

    Args:
        given: What the file sets.
        flags: The flags that there are; those of a class, which may be null, are its `.help` alone.

    Raises:
        InputError: If it has one.
    """
    names = [flag.removeprefix("--") for flag in flags if not flag.endswith(".help")]
    groups = {name[:place] for name in names for place, letter in enumerate(name) if letter == "."}
    if one := find_misshapen(given, groups):
        raise InputError(f"{one.where}{no_options(one.key, one.value)}")


def find_reason(error: BaseException) -> BaseException:
    """Return the error that a class raised, where jsonargparse wrapped it because the class is optional."""
    while str(error).startswith("Does not validate against any of the Union subtypes") and error.__cause__:
        error = error.__cause__
    return error


def failing_task(tasks: Mapping[str, Any]) -> str | None:
    """Return the name of the first task that cannot be built from its settings; None if all can."""
    for name, settings in tasks.items():
        parser = ArgumentParser(exit_on_error=False)
        parser.add_argument("--tasks", type=dict[str, Task])
        try:
            parser.instantiate(parser.parse_object({"tasks": {name: settings}}))
        except (ValueError, OSError, ArgumentError):
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
