import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from figures import (
    Confusions,
    Curve,
    bin_confidence,
    count_confusions,
    draw_balance,
    draw_confusion,
    draw_curves,
    draw_reliability,
    draw_residuals,
    draw_scatter,
    to_image,
    to_svg,
)
from figures.canvas import INK
from tests.runs import ROOT

LABELS = np.array([0.0, 1.0, 2.0, 5.0])


def confusions(counts: list[list[int]]) -> Confusions:
    array = np.array(counts)
    return Confusions(np.arange(len(array)), array, array.sum(axis=1), len(array))


EVERY_FIGURE = {
    "confusion": lambda: draw_confusion(confusions([[3, 1], [0, 2]]), ["$no", "<script>"]),
    "confusion_of_a_missing_class": lambda: draw_confusion(confusions([[0, 0], [0, 2]]), ["a", "b" * 40]),
    "scatter": lambda: draw_scatter(LABELS, LABELS[::-1].copy(), low=0, high=5),
    "scatter_of_equal_labels": lambda: draw_scatter(np.ones(3), np.arange(3.0), low=0, high=5),
    "scatter_of_many": lambda: draw_scatter(np.linspace(0, 5, 4000), np.linspace(1, 4, 4000), low=0, high=5),
    "residuals": lambda: draw_residuals(LABELS, LABELS, low=0, high=5),
    "reliability": lambda: draw_reliability(bin_confidence(np.array([0.6, 0.9]), np.array([True, False]))),
    "balance": lambda: draw_balance({"train": np.array([0.25, 0.75]), "dev": np.array([0.5, 0.5])}, ["a&b", "<i>"]),
    "curves": lambda: draw_curves([("loss", [Curve("train", [1, 2], [3.0, 2.0])]), ("score", [])]),
}


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_every_figure_is_one_svg_element_with_a_description(name):
    svg = to_svg(EVERY_FIGURE[name](), name=name, label='shows "a" < b & c')
    element = ElementTree.fromstring(svg)
    assert element.tag.endswith("svg")
    assert element.get("role") == "img"
    assert element.get("aria-label") == 'shows "a" < b & c'
    assert element.get("viewBox")
    assert element.get("width") is None
    assert not any("script" in child.tag for child in element.iter())


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_every_figure_is_a_picture_of_more_than_one_colour(name):
    image = to_image(EVERY_FIGURE[name]())
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert min(image.shape[:2]) > 200
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 2


def test_texts_stay_as_they_are():
    text = f'id="x {INK}'
    svg = to_svg(draw_confusion(confusions([[1, 0], [0, 1]]), [text, "b"]), name="one", label="x")
    assert text in "".join(ElementTree.fromstring(svg).itertext())
    assert svg.count(INK) == svg.count(f"{INK}</text>")


def test_equal_figures_have_equal_bytes():
    assert len({to_svg(EVERY_FIGURE["scatter"](), name="one", label="x") for _ in range(2)}) == 1


def test_two_figures_of_a_page_share_no_id():
    one, other = (to_svg(EVERY_FIGURE["scatter"](), name=name, label="x") for name in ("run1", "run2"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert len(ids[0]) > 10
    assert ids[0] & ids[1] == set()
    used = set(re.findall(r"url\(#([^)]+)\)", one)) | set(re.findall(r'href="#([^"]+)"', one))
    assert used
    assert used <= ids[0]


def test_text_takes_the_colour_of_its_surroundings_and_a_dollar_is_a_dollar():
    svg = to_svg(
        draw_confusion(count_confusions(np.array([0, 1]), np.array([0, 1]), 2), ["$a$", "b"]), name="x", label=""
    )
    assert "$a$" in svg
    assert "currentColor" in svg
    assert "<metadata" not in svg


def test_matplotlib_is_not_loaded_before_a_figure_is_drawn():
    code = "import figures, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_drawing_leaves_the_settings_of_matplotlib_as_they_are():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    to_svg(EVERY_FIGURE["reliability"](), name="x", label="")
    assert dict(mpl.rcParams) == before
