"""The HTML page of a ranked leaderboard; equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import groupby
from types import MappingProxyType
from typing import Any

from harness.board.board import Board, Entry, Field
from harness.board.published import Published
from harness.page.about import facts, protocol_text
from harness.page.embed import embedded_json, embedded_script
from harness.page.gallery import Gallery, draw
from harness.page.gallery.draw import COLOURS
from harness.page.page_payload import PagePayload
from harness.page.plots import Plot, every_plot
from harness.page.plots.draw import engine, script, to_vega
from harness.page.plots.figure import Part, PlottedPatient
from harness.tables.arrange import heading
from harness.tables.clean import clean
from harness.tables.column_layout import pieces
from harness.tables.table import Table
from harness.views import captions
from harness.views.leaderboard_views import available, tables

PARTS: dict[Part, tuple[str, str]] = {
    "scores": (
        "Scores",
        "Each dot is a patient; the band spans the quartiles, the line marks the median. "
        "Hover over a dot to highlight the same patient in all plots; click to keep the highlight.",
    ),
    "ranks": (
        "Stability",
        "The area of a bubble is the share of bootstrap samples (patients, seeds) in which an entry has a "
        "rank. The horizontal line is the 95 % confidence interval of the rank, the tick is the rank itself.",
    ),
    "tests": (
        "Significance",
        "Paired one-sided Wilcoxon signed-rank tests over patients, Holm-corrected over all pairs. A cell "
        "tests whether the entry of its row is better than that of its column. "
        "*** p ≤ 0.001, ** p ≤ 0.01, * p ≤ 0.05.",
    ),
    "agreement": (
        "Clinical indices",
        "For each patient, the index measured on the prediction against the one measured on the reference.",
    ),
    "learning": (
        "Learning curves",
        "Each line is a run. Values of different losses are not comparable, so each loss has its own plot.",
    ),
    "costs": (
        "Costs",
        "Mean accuracy with its 95 % confidence interval against cost. Filled points, joined by the dashed "
        "line, form the Pareto front: no other entry is both cheaper and better. Numbers are ranks.",
    ),
}
"""The parts of the page that hold plots, in order: their headings and introductions."""


VIEWS: dict[str, str] = {
    "dice": "Dice by structure and phase",
    "hausdorff": "Hausdorff distance by structure and phase",
    "clinical": "Clinical indices",
    "groups": "By group of patients",
    "cost": "Costs",
}
"""The tables in collapsed sections below the ranking."""


@dataclass(frozen=True)
class _Choice:
    """A choice of the reader: the `options` of what a part shows."""

    name: str
    options: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.name.split()[-1]


@dataclass(frozen=True)
class _Part:
    key: Part
    title: str
    intro: str
    figures: tuple[Plot, ...]
    choice: _Choice | None


@dataclass(frozen=True)
class _Gallery:
    """Pictures as markup, each with title and choice, and the contours that the reader can hide."""

    note: str
    pictures: tuple[tuple[str, str, str], ...] = ()
    choices: tuple[str, ...] = ()
    contours: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Section:
    """The part of the page on one dataset."""

    field: Field
    prefix: str
    summary: Table
    others: tuple[tuple[str, Table], ...]
    parts: tuple[_Part, ...]
    patients: tuple[PlottedPatient, ...]
    facts: Sequence[tuple[str, list[str]]]
    gallery: _Gallery | None


def page(
    board: Board,
    published: Sequence[Published] = (),
    shown: Collection[Entry] | None = None,
    galleries: Mapping[str, Gallery] = MappingProxyType({}),
) -> str:
    """The report as one HTML file that needs no network.

    `shown` limits rows and plots to some entries. `galleries` are by a field's dataset.
    ConfigError where the packages that draw are missing.
    """
    engine()
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    views = {view: tables(board, view, published=published, shown=shown) for view in available(board)}
    sections = [
        _section(board, i, {view: found[i] for view, found in views.items()}, published, shown, galleries)
        for i in range(len(board.fields))
    ]
    payload = PagePayload(to_vega)
    for section in sections:
        payload.add(
            section.prefix, [figure for part in section.parts for figure in part.figures], section.patients
        )
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        clean=clean, heading=heading, header_groups=_header_groups, bodies=_bodies, pieces=pieces
    )
    return environment.from_string(_asset("page.html")).render(
        board=board,
        ranked_by=captions.ranked_by(board),
        sections=sections,
        left_out=views["summary"][len(board.fields) :],
        protocol=protocol_text(board),
        style=Markup(_asset("page.css")),
        vega=Markup(embedded_script(script())),
        own=Markup(_asset("page.js")),
        data=Markup(embedded_json(payload.value())),
    )


def _section(
    board: Board,
    number: int,
    views: Mapping[str, Table],
    published: Sequence[Published],
    shown: Collection[Entry] | None,
    galleries: Mapping[str, Gallery],
) -> _Section:
    field = board.fields[number]
    beside = [one for one in published if one.dataset == field.dataset_name]
    patients, figures = every_plot(board, field, beside, shown)
    parts = []
    for key, (title, intro) in PARTS.items():
        own = tuple(figure for figure in figures if figure.part == key)
        if own:
            parts.append(_Part(key, title, intro, own, _choice(own)))
    prefix = f"d{number}-"
    gallery = galleries.get(field.dataset)
    others = tuple((VIEWS[view], table) for view, table in views.items() if view in VIEWS)
    return _Section(
        field,
        prefix,
        views["summary"],
        others,
        tuple(parts),
        patients,
        facts(board, field),
        _pictures(gallery, prefix) if gallery is not None else None,
    )


def _pictures(gallery: Gallery, prefix: str) -> _Gallery:
    from markupsafe import Markup

    if not gallery.sheets:
        return _Gallery(gallery.note)
    sheets = [replace(sheet, key=prefix + sheet.key) for sheet in gallery.sheets]
    names = dict.fromkeys(name for sheet in sheets for name in sheet.structures)
    return _Gallery(
        gallery.note,
        tuple((sheet.title, sheet.choice, Markup(draw(sheet))) for sheet in sheets),
        tuple(dict.fromkeys(sheet.choice for sheet in sheets)),
        tuple((name, COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)),
    )


def _choice(figures: Sequence[Plot]) -> _Choice | None:
    names = dict.fromkeys(name for figure in figures for name in figure.choice)
    for name in names:
        options = tuple(dict.fromkeys(figure.choice[name] for figure in figures))
        if len(options) > 1:
            return _Choice(name, options)
    return None


def _header_groups(table: Table) -> list[tuple[str, int]]:
    """The upper level of a table's header: title and number of columns; empty without any."""
    if not any(column.group for column in table.columns):
        return []
    return [(group, len(list(run))) for group, run in groupby(column.group for column in table.columns)]


def _bodies(table: Table) -> list[tuple[str, str, list[Any]]]:
    """Rows by kind, each kind with the title of its section."""
    titles = dict(table.sections)
    return [
        (kind, titles.get(kind, ""), list(rows)) for kind, rows in groupby(table.rows, key=lambda r: r.kind)
    ]


def _asset(name: str) -> str:
    return resources.files("harness.page").joinpath(name).read_text(encoding="utf-8")
