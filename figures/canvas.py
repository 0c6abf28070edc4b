"""An empty figure, and a drawn one as SVG or as pixels."""

import io
import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

INK = "#5f6b7a"  # readable on white and on black; `to_svg` replaces it by the colour of the text around the figure
COLOURS = ("#3b82c4", "#d9822b", "#3f9d6b", "#c0504d", "#8a63b8", "#8c8c3a")
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: sharp, searchable and small
    "svg.hashsalt": "tandem",  # equal figures have equal bytes
    "text.parse_math": False,  # a class may be called $x$
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that draws in our style and leaves matplotlib's own settings as they are."""

    @wraps(draw)
    def draw_in_style(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        import matplotlib as mpl

        with mpl.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return draw_in_style


def new_axes(*, width: float = 4.6, height: float = 3.6, rows: int = 1) -> "tuple[Figure, list[Axes]]":
    """Return an empty figure and its axes, one below the other: so it stays readable on a phone.

    It belongs to no window and no global state.

    Args:
        width: Width, inches.
        height: Height of one panel, inches.
        rows: Number of panels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height * rows), layout="constrained")
    return figure, [figure.add_subplot(rows, 1, number + 1) for number in range(rows)]


@styled
def to_svg(figure: "Figure", *, name: str, label: str) -> str:
    """Return a figure as an inline `<svg>` element that fits its surroundings.

    Args:
        figure: The figure.
        name: Prefix of all ids inside; unique in the page.
        label: What the figure shows, for readers who do not see it.
    """
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    prefix = re.sub(r"\W", "-", name)
    svg = re.sub(r"<[^>]*>", lambda tag: _rewrite(tag[0], prefix), svg)  # in tags alone: a label may say id="x
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{_escape(label)}">{rest}'


def _rewrite(tag: str, prefix: str) -> str:
    """Put a prefix before the ids in a tag, and the colour of the text around the figure for ink."""
    return re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", tag).replace(INK, "currentColor")


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


@styled
def to_image(figure: "Figure", *, dots_per_inch: int = 110) -> NDArray[np.uint8]:
    """Return a figure as pixels on white, (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dots_per_inch)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels
