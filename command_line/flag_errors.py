"""Flags and keys that there are not, or that may not be set."""

import difflib
import re
from collections.abc import Mapping

from command_line.complaint import Complaint
from command_line.settings import Setting, misplaced_options
from runtime.suggestions import did_you_mean

UNKNOWN_KEY = re.compile(
    r"Option '([^']+)' is not accepted|Group '([^']+)' does not accept option '([^']+)'"
    r"|Subcommand '[^']+' does not accept option '([^']+)'"
)


def unknown_flag(complaint: Complaint) -> str | None:
    """Explain a word of the command line that is no flag, or a flag without its value."""
    if found := re.match(r"unrecognized arguments: (--[^\s=]+)", complaint.message):
        return f"no flag {found[1]}{did_you_mean(complaint.flags.find(found[1]))}"
    if found := re.match(r"unrecognized arguments: (-\w\S+)", complaint.message):
        return f"no flag {found[1]}{did_you_mean(complaint.flags.find(found[1]))}"
    if found := re.match(r"unrecognized arguments: (.*)", complaint.message):
        return f"{found[1]!r} belongs to no flag (expected --NAME VALUE; a value with blanks needs quotes)"
    if found := re.match(r"argument (\S+): expected one argument", complaint.message):
        return f"{found[1].split('/')[-1]} has no value (expected one after it)"
    return None


def unknown_key(complaint: Complaint) -> str | None:
    """Explain a key of a file that stands outside of tasks and classes."""
    found = UNKNOWN_KEY.search(complaint.message)
    if found is None:
        return None
    key = ".".join(filter(None, found.groups()))
    setting = next((one for one in complaint.given if one.key == key), None)
    where, sought = setting.where if setting else "", complaint.flags.find(key)
    return f"{where}there is no setting {key}{did_you_mean(sought.removeprefix('--') if sought else None)}"


def linked(complaint: Complaint) -> str | None:
    """Explain a setting that follows another one."""
    found = re.match(r'argument \S+ --> (\S+):|Linked "([^"]+)" must be given', complaint.message)
    target = found and (found[1] or found[2])
    if not target or target not in complaint.flags.links:
        return None
    setting = next((one for one in complaint.given if one.key == target), Setting(target, None))
    return f"{setting.where}{follows(target, complaint.flags.links)}"


def follows(target: str, links: Mapping[str, str]) -> str:
    """Say which setting another one follows."""
    return f"{target} follows {links[target]} (expected that to be set)"


def misplaced(complaint: Complaint) -> str | None:
    """Explain options that are given beside a class instead of below `init_args`."""
    found = misplaced_options(complaint.given)
    if found is None:
        return None
    return f"{found.where}{found.key}: {', '.join(found.value)} beside class_path (expected below init_args)"


def key_twice(complaint: Complaint) -> str | None:
    """Explain a key that appears twice."""
    found = re.search(r"line \d+: (the key .* appears twice.*)", complaint.message)
    return f"{complaint.option}: {found[1]}" if found else None


def no_tasks(complaint: Complaint) -> str | None:
    """Explain that no tasks are given."""
    if re.search(r'"tasks":\s+Expected a <class \'dict\'>. Got value: None', complaint.message):
        roots = {one.key.split(".")[0]: one.where for one in reversed(complaint.given)}
        wrong = difflib.get_close_matches("tasks", [root for root in roots if root != "tasks"], n=1)
        if wrong:
            return f"{roots[wrong[0]]}there is no setting {wrong[0]} (did you mean tasks?)"
        return "no tasks (expected a configuration that has some, such as -c configs/quickstart.yaml)"
    return None
