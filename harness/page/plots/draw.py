"""Vega-Lite made into Vega, pictures and the script that draws in a page, all by vl-convert."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from harness.board.board import Board, Entry
from harness.board.published import Published
from harness.errors import ConfigError
from harness.page.gallery import Gallery, picture
from harness.page.plots.dataset_plots import every_plot
from harness.page.plots.figure import DATA, Plot, PlottedPatient, Spec
from harness.page.plots.plot_data import slug
from harness.store.atomic import write_atomic, write_text

_SCALE = 2.0
"""Pixels of a PNG per pixel of the plot, for sharp print."""


def engine() -> ModuleType:
    """The package that draws; ConfigError with a remedy where it is not installed."""
    try:
        import contourpy  # noqa: F401
        import jinja2  # noqa: F401
        import PIL  # noqa: F401
        import vl_convert
    except ImportError as error:
        raise ConfigError(
            f"needs {error.name or 'a package'}, which is not installed",
            where="report",
            remedy="Run: pip install 'cardiac-harness[report]'",
        ) from error
    return vl_convert


def to_vega(spec: Spec) -> dict[str, Any]:
    """The specification that a page draws with Vega alone."""
    made: dict[str, Any] = engine().vegalite_to_vega(json.dumps(spec))
    return made


def script() -> str:
    """Vega as a script that needs no network; it defines ``vegaEmbed``."""
    bundle: str = engine().javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # The function keeps the names of the module out of the global scope.
    return f"(() => {{\n{bundle}\n}})();"


def write_plots(
    folder: Path,
    board: Board,
    published: Sequence[Published] = (),
    shown: Collection[Entry] | None = None,
    galleries: Mapping[str, Gallery] = MappingProxyType({}),
) -> list[str]:
    """Every plot and gallery as SVG and PNG; of several datasets, each in a folder. Gives the names."""
    keys = []
    for field in board.fields:
        beside = [one for one in published if one.dataset == field.dataset_name]
        patients, figures = every_plot(board, field, beside, shown)
        below = slug(field.dataset) if len(board.fields) > 1 else ""
        for figure in figures:
            write_picture(folder / below, figure, patients)
        sheets = galleries[field.dataset].sheets if field.dataset in galleries else ()
        for sheet in sheets:
            write_svg(folder / below, sheet.key, picture(sheet))
        names = [*(figure.key for figure in figures), *(sheet.key for sheet in sheets)]
        keys += [f"{below}/{name}" if below else name for name in names]
    return keys


def write_picture(folder: Path, figure: Plot, patients: Sequence[PlottedPatient]) -> None:
    """A figure as ``KEY.svg`` and ``KEY.png`` in `folder`, on white."""
    rows = [row for one in figure.series for row in one.rows(patients)]
    where = [text for name, text in figure.choice.items() if text not in figure.title]
    below = ". ".join([*where, *([figure.note] if figure.note else [])])
    title = {"text": figure.title, **({"subtitle": below} if below else {})}
    spec = {**figure.spec, "title": title, "background": "white", "datasets": {DATA: rows}}
    svg: str = engine().vegalite_to_svg(json.dumps(spec))
    write_svg(folder, figure.key, svg)


def write_svg(folder: Path, name: str, svg: str) -> None:
    """A picture as ``NAME.svg``, and as ``NAME.png`` drawn from it."""
    png: bytes = engine().svg_to_png(svg, scale=_SCALE)
    write_text(folder / f"{name}.svg", svg)
    write_atomic(folder / f"{name}.png", lambda file: file.write(png))
