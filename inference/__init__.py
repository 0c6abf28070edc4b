"""The trained model outside training: in Python, and in the formats of other libraries."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.prediction import Prediction
    from inference.predictor import Predictor

__all__ = ["Prediction", "Predictor"]


def __getattr__(name: str) -> Any:
    """Import the Predictor when it is asked for: the commands of this folder read their options before torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"inference.{name.lower()}"), name)
