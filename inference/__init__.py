"""The trained model outside training: in Python, and in the formats of other libraries."""

from inference.prediction import Prediction
from inference.predictor import Predictor

__all__ = ["Prediction", "Predictor"]
