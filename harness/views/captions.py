"""The sentences under a table: what the numbers are, who was tested, what was counted how, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.board.board import Board, Field, Result
from harness.board.cost import moved_by_others
from harness.board.published import Published
from harness.metrics.definitions import metric
from harness.stats.confidence_intervals import MIN_PATIENTS
from harness.stats.significance import ALPHA, smallest_corrected_p
from harness.stats.stability import Stability
from harness.tables.table import MISSING
from harness.tables.units import metric_scale
from harness.views.rows import LONG, SHORT

_NAMED = 3
"""Entries that a sentence names before it says how many more."""


def legend(metrics: Sequence[str]) -> str:
    """What the star means, and in which direction each metric is better."""
    words = []
    for name in metrics:
        higher = metric(name).higher_is_better
        if higher is not None:
            words.append(f"{LONG.get(name, name)}: {'higher' if higher else 'lower'} is better")
    return " ".join(["* best ranked.", *([f"{'; '.join(words)}."] if words else [])])


def ground(board: Board, field: Field) -> str:
    """Protocol and split, and who was tested."""
    split = f", split {field.split_hash[:8]}" if field.split_hash else ""
    tested = f"{_many(field.patients, 'test patient')}, {_many(field.cases, 'volume')}"
    runs = f"{_listed('seed', field.seeds)}, {_listed('fold', field.folds)}"
    return f"Protocol {board.protocol_hash[:8]}{split}; {tested}; {runs}."


def notes(field: Field) -> list[str]:
    """What was noticed while the board was made."""
    return [f"{note.rstrip('.')}." for note in field.notes]


def ranked_by(board: Board) -> str:
    """What the ranks are made from."""
    names = [SHORT.get(name, name) for name in board.protocol.rank_by]
    one, several = {
        "aggregate-then-rank": ("mean", ""),
        "rank-then-aggregate": ("the mean of each patient's ranks in", ", each over patients"),
        "test-then-rank": ("significant wins in", ", each by significant wins"),
    }[board.rank_method]
    if len(names) == 1:
        return f"ranked by {one} {names[0]}"
    return f"ranked by the mean of the ranks in {', '.join(names[:-1])} and {names[-1]}{several}"


def rank_interval(field: Field, results: Sequence[Result]) -> str:
    """What the interval beside a rank is; of what was drawn."""
    assert field.stability is not None
    drawn = any(result.rank is not None and not _one_training(result) for result in results)
    what = "the patients and of each entry's seeds" if drawn else "the patients"
    return f"95 %: interval of the rank in {field.stability.resamples:,} bootstrap samples of {what}."


def letters(field: Field) -> str:
    """What the groups say."""
    told = (
        "Entries without a letter in common (gr) are told apart: the 95 % interval of their difference "
        "excludes 0, not corrected for the number of pairs."
    )
    if field.exact_groups:
        return told
    return f"{told} Groups are runs of the ranking, too many being exact: some that share a letter are apart."


def training_noise(field: Field, results: Sequence[Result]) -> list[str]:
    """Whose intervals can't hold another training, for there is one seed."""
    sampled = [r for r in results if r.rank_interval is not None or any(r.overall_ci95.values())]
    if sampled and len(field.seeds) < 2:
        return ["Training noise is not in the intervals: there is one seed."]
    single = [result for result in sampled if _one_training(result)]
    if not single:
        return []
    more = f" and {_many(len(single) - _NAMED, 'more entry', 'more entries')}"
    named = ", ".join(result.entry.name for result in single[:_NAMED]) + more * (len(single) > _NAMED)
    which = (
        "has one seed" if all(result.state == "done" for result in single) else "has one seed or lacks runs"
    )
    return [f"Training noise is not in the intervals of what {which}: {named}."]


def few_patients(field: Field, results: Sequence[Result]) -> list[str]:
    """That nothing is told apart."""
    if field.patients >= MIN_PATIENTS or not any(result.rank_interval for result in results):
        return []
    return [
        f"Fewer than {MIN_PATIENTS} patients tell nothing apart: "
        "every rank is possible, no mean has an interval."
    ]


def agreement(board: Board, field: Field) -> list[str]:
    """Kendall's tau with other rankings, and whether a test could say anything."""
    found = field.stability
    if found is None:
        return []
    low, high = found.ci95
    ranked = [result for result in board.of(field.dataset) if result.rank is not None]
    lines = [
        f"Kendall's tau with the bootstrap rankings: median {found.tau:.2f} ({low:.2f} to {high:.2f}); "
        f"with the ranking by {', by '.join(_methods(board, found, ranked))}."
    ]
    least = smallest_corrected_p(field.patients, len(ranked))
    if field.significance and least > ALPHA and not _significant(field):
        lines.append(
            f"Significance: no pair of {len(ranked)} entries can reach p ≤ {ALPHA:g} with "
            f"{_many(field.patients, 'patient')}, corrected by Holm (the least is {least:.2f})."
        )
    return lines


def noise_floor(field: Field, metrics: Sequence[str]) -> str:
    """The smallest differences that seeds resolve; empty where there are none."""
    floors = {name: floor for name in metrics if (floor := (field.noise_floor or {}).get(name)) is not None}
    if not floors:
        return ""
    told = ", ".join(
        f"{SHORT.get(name, name)} {floor.difference:.{metric_scale(name).decimals + 1}f}"
        f"{f' {unit}' if (unit := metric_scale(name).unit) else ''}"
        for name, floor in floors.items()
    )
    seeds = next(iter(floors.values())).seeds
    return (
        f"Smallest difference of means that {seeds} seeds resolve: {told}; "
        "no more decimals are shown than that supports."
    )


def hardware(results: Iterable[Result], letters: Mapping[str, str] | None = None) -> list[str]:
    """Where the runs were, by the letters of a column where it has one; a caution if they differ."""
    classes = sorted({one for result in results for one in result.hardware})
    if not classes:
        return []
    named = "; ".join(f"{letters[one]}: {one}" if letters else one for one in classes)
    if len(classes) == 1:
        moved = "; no time is marked as best" if moved_by_others(classes) else ""
        return [f"Hardware: {named}{moved}."]
    return [
        f"Hardware: {named}. Times and memory on different hardware, or on a machine that others used, "
        "can't be compared: no best is marked."
    ]


def counts(results: Sequence[Result], metrics: Sequence[str]) -> dict[tuple[str, ...], str]:
    """By metrics that are alike: how many scores are penalties or were left out."""
    found: dict[str, list[str]] = {}
    for name in metrics:
        found.setdefault(_counted(results, name), []).append(name)
    found.pop("", None)
    return {tuple(names): text for text, names in found.items()}


def reasons(results: Iterable[Result]) -> list[str]:
    """A line for each entry that is not ranked and says why."""
    lines = []
    for result in results:
        if result.rank is not None or result.reason is None:
            continue
        others = sum(run.reason not in (None, result.reason) for run in result.runs)
        more = f" ({_many(others, 'run')} for other reasons)" if others else ""
        lines.append(f"{result.entry.name}, {result.state}: {result.reason.rstrip('.')}{more}.")
    return lines


def cited(published: Iterable[Published]) -> list[str]:
    """Where published rows come from."""
    return [
        f"Published: {one.short}, {one.url}; on the authors' split. Means of their figures are ours."
        for one in published
    ]


def _significant(field: Field) -> bool:
    found = (p for one in field.significance.values() for row in one.p for p in row)
    return any(p is not None and p <= ALPHA for p in found)


def _one_training(result: Result) -> bool:
    """Whether no seeds of an entry are drawn: there is one, or its runs are not all there."""
    return result.state != "done" or len({record.spec.seed for record in result.records}) < 2


def _methods(board: Board, found: Stability, ranked: Sequence[Result]) -> list[str]:
    """Kendall's tau of the board's ranking with those by the other methods."""
    tied = "this ranking ties" if len({result.rank for result in ranked}) == 1 else "ties"
    taus = {
        pair.a if pair.b == board.rank_method else pair.b: pair.tau
        for pair in found.methods
        if board.rank_method in (pair.a, pair.b)
    }
    return [
        f"{name} {f'{MISSING} ({tied} all entries)' if tau is None else f'{tau:.2f}'}"
        for name, tau in taus.items()
    ]


def _counted(results: Sequence[Result], name: str) -> str:
    cells = {
        r.entry.name: [c for phases in r.scores.get(name, {}).values() for c in phases.values()]
        for r in results
    }
    total = sum(c.cases for found in cells.values() for c in found)
    if not total:
        return ""
    penalised = {entry: sum(c.penalised for c in found) for entry, found in cells.items()}
    errors = {entry: sum(c.errors for c in found) for entry, found in cells.items()}
    empty = {entry: sum(c.excluded - c.errors for c in found) for entry, found in cells.items()}
    parts = []
    if one := sum(penalised.values()):
        what = "is a penalty" if one == 1 else "are penalties"
        parts.append(f"{one} of {total} scores {what} (structure missed or invented): {_who(penalised)}")
    if one := sum(empty.values()):
        parts.append(f"{one} left out (structure in neither reference nor prediction): {_who(empty)}")
    if one := sum(errors.values()):
        parts.append(f"{one} left out (could not be computed): {_who(errors)}")
    return ". ".join(parts) + "." if parts else f"none of {total} scores is a penalty or left out."


def _who(by_entry: Mapping[str, int]) -> str:
    """Which entries a sum is from, the largest first."""
    some = sorted((-count, name) for name, count in by_entry.items() if count)
    names = [f"{name} {-count}" for count, name in some[:_NAMED]]
    rest = some[_NAMED:]
    if rest:
        more = _many(len(rest), "more entry", "more entries")
        names.append(f"{more} {-sum(count for count, _ in rest)}")
    return ", ".join(names)


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _listed(what: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return f"no {what}"
    if len(numbers) > 3 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{what}s {numbers[0]} to {numbers[-1]}"
    return f"{what}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
