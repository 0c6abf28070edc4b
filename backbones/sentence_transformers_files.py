"""What sentence-transformers writes beside the weights of an encoder."""

import json
from pathlib import Path

from backbones.packages import WEIGHT_FILES, resolve

TRAINED_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def find_layers_behind(location: Path) -> set[str]:
    """Return the folders in which sentence-transformers keeps the weights of layers behind the encoder."""
    return {path.parent.name for file in WEIGHT_FILES for path in location.glob(f"[0-9]*_*/{file}")}


def trained_pooling(name: str) -> str | None:
    """Return how sentence-transformers pooled while it trained the weights, by its files; None where they say nothing.

    Args:
        name: As for `resolve`. Of a name on the hub nothing is known.
    """
    try:
        found = json.loads((Path(resolve(name)) / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
        return next((word for key, word in TRAINED_POOLING.items() if found.get(key) is True), None)
    except (OSError, ValueError, AttributeError):  # nothing to tell
        return None
