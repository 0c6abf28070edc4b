"""Figures of what a run predicted: NumPy in, matplotlib out. matplotlib is imported when the first figure is drawn."""

from figures.balance import draw_balance
from figures.canvas import to_image, to_svg
from figures.confusion import Confusions, count_confusions, draw_confusion, most_frequent_confusions
from figures.curves import Curve, draw_curves
from figures.interleaving import Interleaving, draw_interleaving, share_by_bin
from figures.reliability import Reliability, bin_confidence, draw_reliability
from figures.scatter import RegressionLine, draw_residuals, draw_scatter, fit_line
from figures.shown import MOST_CLASSES, pick_classes

__all__ = [
    "MOST_CLASSES",
    "Confusions",
    "Curve",
    "Interleaving",
    "RegressionLine",
    "Reliability",
    "bin_confidence",
    "count_confusions",
    "draw_balance",
    "draw_confusion",
    "draw_curves",
    "draw_interleaving",
    "draw_reliability",
    "draw_residuals",
    "draw_scatter",
    "fit_line",
    "most_frequent_confusions",
    "pick_classes",
    "share_by_bin",
    "to_image",
    "to_svg",
]
