"""A sheet as SVG: a row an entry, a column a slice, contours over the image.

Each slice's image is in the file once and used by every row. Contours are vectors, one element a
structure, so that a page can switch them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from harness.page.gallery.outline import outline
from harness.page.gallery.sheet import Sheet
from harness.page.plots.theme import FONT
from harness.tables.clean import clean

COLOURS = ("#4dabf7", "#ffd43b", "#ff6b6b", "#69db7c", "#e599f7", "#ffa94d")
"""Of the structures, in their order; light enough for the dark of an image."""

_TILE = 108
"""The longer side of a slice in pixels."""

_INK = ' color="#1c2430"'
_GAP = 3
_NAMES = 168
_HEAD = 20
_LETTERS = 26
"""So many fit beside a row."""

_REFERENCE_ROW = 1


def draw(sheet: Sheet) -> str:
    """The picture as an ``svg`` element, without a title; its ids start with the sheet's key.

    Each row's contours are ``<g class="contour sN">``, N the place of the structure; the reference's
    are there once more below each entry's, as ``<g class="under">``, hidden.
    """
    return _svg(sheet, 0, "")


def picture(sheet: Sheet) -> str:
    """The picture as a file of its own: on white, with its title and the names of the colours."""
    top = 44
    head = [_text(sheet.title, 0, 14, 13, weight=600)]
    x = 0.0
    for number, name in enumerate(sheet.structures):
        head.append(f'<rect x="{x:g}" y="24" width="10" height="10" fill="{_colour(number)}"/>')
        head.append(_text(name, x + 15, 33, 12))
        x += 30 + 8 * len(name)
    return _svg(sheet, top, "".join(head))


@dataclass(frozen=True)
class _Layout:
    """Where tiles stand: their size in pixels, and the scale of contours (unit: half a voxel)."""

    tile: tuple[float, float]
    scale: tuple[float, float]
    top: int

    @classmethod
    def of(cls, sheet: Sheet, top: int) -> _Layout:
        _, height, width = sheet.image.shape
        tall, wide = height * sheet.spacing_mm[1], width * sheet.spacing_mm[2]
        tile = (_TILE * wide / max(tall, wide), _TILE * tall / max(tall, wide))
        return cls(tile, (tile[0] / (2 * width), tile[1] / (2 * height)), top)

    def x(self, column: int) -> float:
        return _NAMES + column * (self.tile[0] + _GAP)

    def y(self, row: int) -> float:
        return self.top + _HEAD + row * (self.tile[1] + _GAP)


def _svg(sheet: Sheet, top: int, head: str) -> str:
    layout = _Layout.of(sheet, top)
    rows = list(_rows(sheet))
    parts = [*_opening(layout, layout.x(len(sheet.slices)), layout.y(len(rows)), head), head]
    parts += ["<defs>", *_definitions(sheet, layout), "</defs>", *_slice_numbers(sheet, layout)]
    for number, (name, text, labels) in enumerate(rows):
        parts += _row_names(name, text, layout.y(number) + layout.tile[1] / 2)
        for n in range(len(sheet.slices)):
            reference = f'<use href="#{_id(sheet, "r", n)}"/>'
            if number == _REFERENCE_ROW:
                contours = reference
            elif labels is not None:
                contours = (
                    f'<g class="under" display="none" stroke-dasharray="{3 / max(layout.scale):.1f}">'
                    f"{reference}</g>{_contours(sheet, labels[n])}"
                )
            else:
                contours = ""
            parts.append(
                f'<g transform="translate({layout.x(n):.1f} {layout.y(number):.1f})">'
                f'<use href="#{_id(sheet, "i", n)}"/>'
                f'<g transform="scale({layout.scale[0]:.4f} {layout.scale[1]:.4f})">{contours}</g></g>'
            )
    return "".join([*parts, "</svg>"])


def _opening(layout: _Layout, width: float, height: float, head: str) -> list[str]:
    """The opening tag; a picture with a `head` also gets a margin and a white ground."""
    pad = 12 if head else 0
    ground = f'<rect x="{-pad}" y="{-pad}" width="100%" height="100%" fill="#fff"/>' if head else ""
    tag = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sheet" '
        f'viewBox="{-pad} {-pad} {width + 2 * pad:.1f} {height + 2 * pad:.1f}" '
        f'width="{width + 2 * pad:.0f}" height="{height + 2 * pad:.0f}" '
        f'font-family="{escape(FONT)}" fill="none" '
        f'stroke-linejoin="round" stroke-width="{1.3 / max(layout.scale):.2f}"'
        f"{_INK if head else ''}>"
    )
    return [tag, ground]


def _definitions(sheet: Sheet, layout: _Layout) -> Iterator[str]:
    """Images and the reference's contours, which every row uses."""
    for n, grey in enumerate(_greys(sheet.image)):
        yield (
            f'<image id="{_id(sheet, "i", n)}" width="{layout.tile[0]:.1f}" height="{layout.tile[1]:.1f}" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{_png(grey)}"/>'
        )
    for n in range(len(sheet.slices)):
        yield f'<g id="{_id(sheet, "r", n)}">{_contours(sheet, sheet.reference[n])}</g>'


def _slice_numbers(sheet: Sheet, layout: _Layout) -> Iterator[str]:
    for n, number in enumerate(sheet.slices):
        text = f"slice {number}" if n == 0 else str(number)
        yield _text(text, layout.x(n) + layout.tile[0] / 2, layout.top + 13, 11, anchor="middle", dim=True)


def _row_names(name: str, text: str, middle: float) -> list[str]:
    """The name of a row in one or two lines, and `text` below it."""
    lines = _lines(name)
    first = middle + 4 - 7 * (len(lines) - (not text))
    parts = [_text(line, 0, first + 14 * i, 12) for i, line in enumerate(lines)]
    return [*parts, _text(text, 0, first + 14 * len(lines), 11, dim=True)] if text else parts


def _rows(sheet: Sheet) -> Iterator[tuple[str, str, NDArray[np.uint8] | None]]:
    yield "image", "", None
    yield "reference", "", sheet.reference
    for one in sheet.drawn:
        yield one.name, one.text if one.labels is not None else "not kept", one.labels


def _contours(sheet: Sheet, labels: NDArray[np.uint8]) -> str:
    found = ""
    for number, (name, value) in enumerate(sheet.structures.items()):
        path = outline(labels == value)
        if path:
            found += (
                f'<g class="contour s{number}"><title>{escape(clean(name))}</title>'
                f'<path stroke="{_colour(number)}" d="{path}"/></g>'
            )
    return found


def _lines(name: str) -> list[str]:
    """A name that is too long for one line breaks before its loss."""
    model, plus, loss = name.partition(" + ")
    lines = [model, f"+ {loss}"] if plus and len(name) > _LETTERS else [name]
    return [line if len(line) <= _LETTERS else f"{line[: _LETTERS - 1]}…" for line in lines]


def _text(
    text: str, x: float, y: float, size: int, *, anchor: str = "start", weight: int = 400, dim: bool = False
) -> str:
    more = ' opacity=".7"' if dim else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="currentColor" stroke="none"{more}>{escape(clean(text))}</text>'
    )


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _id(sheet: Sheet, what: str, number: int) -> str:
    return f"{sheet.key}-{what}{number}"


def _greys(image: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
    """Slices in 64 shades; the window is from the 1st to the 99.5th percentile of the volume.

    More shades are noise that no eye sees at this size, and a third of the page's bytes.
    """
    low, high = np.percentile(image, (1, 99.5))
    bright = (image - low) / max(float(high - low), 1e-6)
    yield from (4 * np.rint(63 * np.clip(bright, 0, 1))).astype(np.uint8)


def _png(grey: NDArray[np.uint8]) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
