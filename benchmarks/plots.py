"""Small plots as SVG, the same for the same figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def figure(columns: int = 1, width: float = 9.0, height: float = 1.7) -> tuple[Any, list[Any]]:
    """A drawing and its axes side by side."""
    import matplotlib  # type: ignore[import-untyped, unused-ignore]

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "milia", "font.size": 8})
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(1, columns, figsize=(width, height), squeeze=False)
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
    return drawing, list(axes[0])


def save(drawing: Any, path: Path) -> None:
    """Writes the drawing."""
    from matplotlib import pyplot

    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(drawing)
