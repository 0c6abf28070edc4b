"""What a check found: one sentence, how many rows, some of them by file and line, and what to do."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from datamodules.schedules.schedule import JOINED
from datamodules.streams import Streams, stream_of

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
FILE = "file"  # the check that tells what is to be said of a whole file
SHOWN = 3  # examples a finding
LONGEST_TEXT = 90  # characters of a shown text


@dataclass(frozen=True)
class Instance:
    """A row that shows what was found.

    Args:
        where: File and line (or row).
        texts: Its texts, shortened.
        remark: What else is to be said of it, such as the row that it equals.
    """

    where: str
    texts: tuple[str, ...]
    remark: str = ""

    def __str__(self) -> str:
        """Return it as a line."""
        said = [" | ".join(self.texts), f"[{self.remark}]" if self.remark else ""]
        return f"{self.where}: {'  '.join(filter(None, said))}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found in a split of a task.

    Args:
        check: Name of the check; docs/checks.md has a line for each.
        level: `error` for what makes results wrong, `warning` for what should be looked at, `note` for the rest.
        task: Name of the task.
        split: The split that it is about; several joined by `+` where it is about a file of theirs.
        count: Rows that it is about.
        total: Rows of the split; 0 where it is about no rows.
        what: What is the matter with them, as the sentence "3 of 100 rows …" continues; without rows all of it.
        advice: What to do.
        examples: Some of the rows.
    """

    check: str
    level: Level
    task: str
    split: str
    count: int
    total: int
    what: str
    advice: str
    examples: Sequence[Instance] = ()

    @property
    def is_about_file(self) -> bool:
        """Whether it is about a whole file, which `what` names, whichever tasks and splits read it."""
        return self.check == FILE

    @property
    def share(self) -> float:
        """Share of the rows of the split, 0 to 1."""
        return self.count / self.total if self.total else 0.0

    def __str__(self) -> str:
        """Return it as a sentence."""
        if not self.total:
            return f"{self.task} {self.split}: {self.what}"
        return f"{self.task} {self.split}: {self.count:,} of {self.total:,} rows ({self.share:.1%}) {self.what}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "share": self.share}


def say_once(findings: Iterable[Finding], streams: Streams) -> list[Finding]:
    """Return findings, of those that are the same for several tasks one that names these tasks.

    They are about the same file or the same rows of one, or about no rows and of tasks that share theirs. Each example
    has the remarks of all of them, such as the labels. What is about a file is said once for all its splits too.

    Args:
        findings: The findings.
        streams: Which tasks share their rows.
    """
    same: dict[object, list[Finding]] = {}
    for finding in findings:
        rows = tuple(example.where for example in finding.examples)
        stream = "" if rows or finding.is_about_file else stream_of(streams, finding.task)
        split = "" if finding.is_about_file else finding.split
        same.setdefault((replace(finding, task=stream, split=split, examples=()), rows), []).append(finding)
    return [each[0] if len(each) == 1 else _join(each) for each in same.values()]


def _join(findings: Sequence[Finding]) -> Finding:
    examples = zip(*(finding.examples for finding in findings), strict=True)
    return replace(
        findings[0],
        task=JOINED.join(dict.fromkeys(finding.task for finding in findings)),
        split=JOINED.join(dict.fromkeys(finding.split for finding in findings)),
        examples=[
            replace(each[0], remark="; ".join(dict.fromkeys(filter(None, (example.remark for example in each)))))
            for each in examples
        ],
    )


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the worst first, otherwise in their order."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def count_levels(findings: Iterable[Finding]) -> dict[Level, int]:
    """Count the findings of each level."""
    counts = Counter(finding.level for finding in findings)
    return {level: counts[level] for level in LEVELS}


def shorten(text: str) -> str:
    r"""Return a text in one line, without its end if it is long.

    Example:
        >>> shorten("one\n two"), len(shorten("word " * 100))
        ('one two', 90)
    """
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"
