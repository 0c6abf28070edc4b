"""The code of a task that is not one of these: what it reads may change where no setting does."""

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

from runtime.version import ROOT

INSTALLED = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def digest_own_code(kind: type) -> str | None:
    """Return a SHA-256 of the files that define a class and its bases outside this package; None where there is none.

    Those that they import, and so on, count as well, but for installed libraries. Files that they read do not.
    """
    ours = {__name__.partition(".")[0], "abc", "builtins"}
    waiting = {each.__module__ for each in kind.__mro__ if each.__module__.partition(".")[0] not in ours}
    packages = {name.partition(".")[0] for name in waiting}
    found = dict[str, bytes]()
    while waiting:
        module = sys.modules.get(waiting.pop())
        file = None if module is None else getattr(module, "__file__", None)  # a notebook has none
        if module is None or file is None or module.__name__ in found:
            continue
        found[module.__name__] = source = Path(file).read_bytes()
        for name in _find_imports(source, module):
            other = sys.modules.get(name)
            if other is not None and (name.partition(".")[0] in packages or _is_own(other)):
                waiting.add(name)
    contents = [found[name] for name in sorted(found)]
    return hashlib.sha256(b"\0".join(contents)).hexdigest() if contents else None


def _find_imports(source: bytes, module: ModuleType) -> Iterator[str]:
    """Yield what may be modules that a module's file imports."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # no Python, as in a compiled one
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = resolve_name(relative, module.__package__) if node.level else relative
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_own(module: ModuleType) -> bool:
    """Whether a module is neither a library's nor this project's."""
    file = getattr(module, "__file__", None)
    if file is None:
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in (*INSTALLED, ROOT))
