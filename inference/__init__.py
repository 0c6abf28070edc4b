"""The trained model outside training: in Python, and in the formats of other libraries."""

from inference.predictor import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
