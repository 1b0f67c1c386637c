"""Plots as inline SVG."""

import io
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "arlif", "font.size": 9, "axes.grid": False}


def svg(figure: Figure) -> str:
    """The figure as an SVG element, the same bytes for the same figure."""
    text = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(
            text, format="svg", metadata={"Date": None}, bbox_inches="tight", transparent=True
        )
    content = text.getvalue()
    return content[content.index("<svg") :]
