"""JSON files in which an undefined number is null: JSON knows neither NaN nor infinity."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.whole_files import replacing_text


def write_json(path: Path, value: Any) -> None:
    """Write nested data as JSON.

    Args:
        path: The file; its folder is made.
        value: The data.
    """
    text = json.dumps(replace_undefined(value), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing_text(path) as file:
        file.write(text + "\n")


def replace_undefined(value: Any) -> Any:
    """Return nested data as JSON has it: lists for tuples, None for NaN and infinity.

    Example:
        >>> replace_undefined({"pearson": (0.5, float("nan"))})
        {'pearson': [0.5, None]}
    """
    if isinstance(value, Mapping):
        return {key: replace_undefined(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [replace_undefined(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
