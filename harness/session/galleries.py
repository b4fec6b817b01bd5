"""The galleries of a report: images of the dataset with saved predictions of the runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.board.aggregate import counts
from harness.board.board import Result
from harness.data.case import Case
from harness.data.source import Source
from harness.errors import HarnessError
from harness.metrics.definitions import metric
from harness.page.gallery import Drawn, Gallery, Sheet, Told, telling
from harness.page.plots.plot_data import slug
from harness.pipeline.saved_predictions import prediction_path, read_saved_prediction
from harness.plan.choice import Choice
from harness.plan.data import open_choice, root_of
from harness.plugins.records import Dataset
from harness.session.leaderboard import Leaderboard
from harness.session.open_leaderboard import OpenLeaderboard
from harness.store.record import Record
from harness.views.entry_rows import SHORT

MOST_ENTRIES = 12
"""The most entries in a gallery: the first ones of the table."""


def galleries(opened: OpenLeaderboard, leaderboard: Leaderboard, *, embed: bool) -> dict[str, Gallery]:
    """By dataset: predictions of the best, median and worst patient, or a note why there are none.

    With `embed`, images are shown even if the dataset's licence is not known to allow redistribution.
    """
    choices = {entry.dataset.label: entry.dataset for entry in opened.matrix.entries}
    roots = opened.workspace.data_roots
    made = {}
    for field in leaderboard.board.fields:
        results = [result for result in leaderboard.entries if result.entry.dataset == field.dataset]
        results = [result for result in results if result.records][:MOST_ENTRIES]
        patients = telling(leaderboard.board, field, [result.entry for result in results])
        try:
            made[field.dataset] = _gallery(
                opened, choices.get(field.dataset), results, patients, roots, embed=embed
            )
        except HarnessError as error:
            made[field.dataset] = Gallery(note=f"No images: {error}")
    return made


def _gallery(
    opened: OpenLeaderboard,
    choice: Choice | None,
    results: Sequence[Result],
    patients: Sequence[Told],
    roots: Mapping[str, Path],
    *,
    embed: bool,
) -> Gallery:
    if choice is None or choice.plugin is None:
        return Gallery(note="No images: the dataset's plugin is not registered.")
    record = choice.record
    assert isinstance(record, Dataset)
    if not (record.embeddable or embed):
        licence = f" ({record.licence})" if record.licence else ""
        return Gallery(
            note=f"No images: the licence of {record.name}{licence} is not known to allow redistribution. "
            "harness report --embed-images includes them, for your own use."
        )
    folders = _folders(opened, results)
    # Checked before the dataset is opened, because opening may generate it.
    if not any(told.patient in of for told in patients for of in folders.values()):
        return Gallery(
            note="No images: there are no saved predictions in the folder of runs. With "
            "keep_predictions = true in the protocol, harness run saves them."
        )
    source = open_choice(choice, root_of(opened.project, choice, opened.runs, roots))
    cases = [(one, case) for one in patients for case in source.cases if case.patient == one.patient]
    sheets = tuple(_sheet(one, case, source, results, folders).cut() for one, case in cases)
    return Gallery(sheets, "" if sheets else "No images: the dataset has none of these patients.")


Folders = Mapping[str, tuple[Record, Path]]
"""By patient: the record that tested it, and the folder of its predictions."""


def _folders(opened: OpenLeaderboard, results: Sequence[Result]) -> dict[str, Folders]:
    """By entry name; if several seeds have saved predictions, those of the first."""
    folders: dict[str, dict[str, tuple[Record, Path]]] = defaultdict(dict)
    for result in results:
        for record in result.records:
            folder = opened.runs.run(record.run_id).predictions
            if folder.is_dir():
                for score in record.cases:
                    folders[result.entry.name].setdefault(score.patient, (record, folder))
    return dict(folders)


def _sheet(
    told: Told, case: Case, source: Source, results: Sequence[Result], folders: Mapping[str, Folders]
) -> Sheet:
    volume = case.read()
    if volume.labels is None:
        raise HarnessError("test case without a reference", where=case.id)
    drawn = []
    for result in results:
        name = result.entry.name
        record, folder = folders.get(name, {}).get(told.patient, (None, None))
        if record is None or folder is None or not prediction_path(folder, case.id).exists():
            drawn.append(Drawn(name, "", None))
            continue
        labels = read_saved_prediction(folder, case, volume.labels.shape)
        drawn.append(Drawn(name, _score(record, case, told.metric), labels))
    phase = case.phase or ""
    about = " · ".join(text for text in (case.patient, case.group or "", phase) if text)
    return Sheet(
        key=slug("gallery", told.which, *([phase] if phase else [])),
        title=f"{about}: the {told.which} patient, mean {_value_text(told.metric, told.value)}",
        choice=phase,
        image=volume.image[0],
        reference=volume.labels,
        drawn=tuple(drawn),
        spacing_mm=volume.spacing_mm,
        structures=source.structures,
    )


def _score(record: Record, case: Case, name: str) -> str:
    """The mean of a metric over the structures of a case."""
    values = [
        score.value
        for score in record.cases
        if score.case == case.id and score.metric == name and counts(score) and score.value is not None
    ]
    return _value_text(name, sum(values) / len(values)) if values else ""


def _value_text(name: str, value: float) -> str:
    unit = metric(name).unit
    return f"{SHORT.get(name, name)} " + (f"{value:.1f} {unit}" if unit else f"{value:.3f}")
