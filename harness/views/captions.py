"""The sentences under a table: metrics, test set, ranking method, intervals, counts and failures."""

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
from harness.views.entry_rows import LONG, SHORT

_NAMED = 3
"""The most entries that a sentence names; it counts the others."""


def legend(metrics: Sequence[str]) -> str:
    """The meaning of the star, and the better direction of each metric."""
    words = []
    for name in metrics:
        higher = metric(name).higher_is_better
        if higher is not None:
            words.append(f"{LONG.get(name, name)}: {'higher' if higher else 'lower'} is better")
    return " ".join(["* best ranked.", *([f"{'; '.join(words)}."] if words else [])])


def ground(board: Board, field: Field) -> str:
    """Protocol, split, test set, seeds and folds."""
    split = f", split {field.split_hash[:8]}" if field.split_hash else ""
    tested = f"{_many(field.patients, 'test patient')}, {_many(field.cases, 'volume')}"
    runs = f"{_listed('seed', field.seeds)}, {_listed('fold', field.folds)}"
    return f"Protocol {board.protocol_hash[:8]}{split}; {tested}; {runs}."


def notes(field: Field) -> list[str]:
    """Notes that were made while the board was built."""
    return [f"{note.rstrip('.')}." for note in field.notes]


def ranked_by(board: Board) -> str:
    """The metrics and the method of the ranking."""
    names = [SHORT.get(name, name) for name in board.protocol.rank_by]
    one_metric, each_metric = {
        "aggregate-then-rank": ("mean", ""),
        "rank-then-aggregate": ("the mean of each patient's ranks in", ", each over patients"),
        "test-then-rank": ("significant wins in", ", each by significant wins"),
    }[board.rank_method]
    if len(names) == 1:
        return f"ranked by {one_metric} {names[0]}"
    return f"ranked by the mean of the ranks in {', '.join(names[:-1])} and {names[-1]}{each_metric}"


def rank_interval(field: Field, results: Sequence[Result]) -> str:
    """The meaning of the interval beside a rank, and what the bootstrap resampled."""
    assert field.stability is not None
    seeds_resampled = any(result.rank is not None and not _one_training(result) for result in results)
    units = "the patients and of each entry's seeds" if seeds_resampled else "the patients"
    return f"95 %: interval of the rank in {field.stability.resamples:,} bootstrap samples of {units}."


def letters(field: Field) -> str:
    """The meaning of the group letters."""
    meaning = (
        "Entries without a letter in common (gr) are told apart: the 95 % interval of their difference "
        "excludes 0, not corrected for the number of pairs."
    )
    if field.exact_groups:
        return meaning
    return (
        f"{meaning} There are too many entries for exact groups: each group is a range of ranks, and some "
        "entries that share a letter differ significantly."
    )


def training_noise(field: Field, results: Sequence[Result]) -> list[str]:
    """Which intervals exclude training variance."""
    sampled = [r for r in results if r.rank_interval is not None or any(r.overall_ci95.values())]
    if sampled and len(field.seeds) < 2:
        return ["Training noise is not in the intervals: there is one seed."]
    single = [result for result in sampled if _one_training(result)]
    if not single:
        return []
    more = f" and {_many(len(single) - _NAMED, 'more entry', 'more entries')}"
    named = ", ".join(result.entry.name for result in single[:_NAMED]) + more * (len(single) > _NAMED)
    complete = all(result.state == "done" for result in single)
    why = "one seed" if complete else "one seed or missing runs"
    return [f"Intervals of entries with {why} exclude training variance: {named}."]


def few_patients(field: Field, results: Sequence[Result]) -> list[str]:
    """A warning if there are too few patients for intervals."""
    if field.patients >= MIN_PATIENTS or not any(result.rank_interval for result in results):
        return []
    return [
        f"Fewer than {MIN_PATIENTS} patients: rank intervals cover all ranks, "
        "and means have no confidence intervals."
    ]


def agreement(board: Board, field: Field) -> list[str]:
    """Kendall's tau with other rankings, and a note if no pair can reach significance."""
    stability = field.stability
    if stability is None:
        return []
    low, high = stability.ci95
    ranked = [result for result in board.of(field.dataset) if result.rank is not None]
    lines = [
        f"Kendall's tau with the bootstrap rankings: median {stability.tau:.2f} ({low:.2f} to {high:.2f}); "
        f"with the ranking by {', by '.join(_methods(board, stability, ranked))}."
    ]
    least = smallest_corrected_p(field.patients, len(ranked))
    if field.significance and least > ALPHA and not _significant(field):
        lines.append(
            f"Significance: no pair of {len(ranked)} entries can reach p ≤ {ALPHA:g} with "
            f"{_many(field.patients, 'patient')}, corrected by Holm (the least is {least:.2f})."
        )
    return lines


def noise_floor(field: Field, metrics: Sequence[str]) -> str:
    """The noise floor of each metric; empty if there is none."""
    floors = {name: floor for name in metrics if (floor := (field.noise_floor or {}).get(name)) is not None}
    if not floors:
        return ""
    differences = ", ".join(
        f"{SHORT.get(name, name)} {floor.difference:.{metric_scale(name).decimals + 1}f}"
        f"{f' {unit}' if (unit := metric_scale(name).unit) else ''}"
        for name, floor in floors.items()
    )
    seeds = next(iter(floors.values())).seeds
    return (
        f"Noise floor of {seeds} seeds, the smallest difference of means larger than seed-to-seed variation: "
        f"{differences}. It limits the decimals shown."
    )


def hardware(results: Iterable[Result], letters: Mapping[str, str] | None = None) -> list[str]:
    """The hardware of the runs, with the letters of its column, and a warning if it differs."""
    classes = sorted({name for result in results for name in result.hardware})
    if not classes:
        return []
    named = "; ".join(f"{letters[name]}: {name}" if letters else name for name in classes)
    if len(classes) == 1:
        moved = "; no time is marked as best" if moved_by_others(classes) else ""
        return [f"Hardware: {named}{moved}."]
    return [
        f"Hardware: {named}. Times and memory on different hardware, or on a machine that others used, "
        "can't be compared: no best is marked."
    ]


def counts(results: Sequence[Result], metrics: Sequence[str]) -> dict[tuple[str, ...], str]:
    """How many scores are penalised or left out; metrics with equal counts share a text."""
    names_of: dict[str, list[str]] = {}
    for name in metrics:
        names_of.setdefault(_counted(results, name), []).append(name)
    names_of.pop("", None)
    return {tuple(names): text for text, names in names_of.items()}


def reasons(results: Iterable[Result]) -> list[str]:
    """A line for each unranked entry with its reason."""
    lines = []
    for result in results:
        if result.rank is not None or result.reason is None:
            continue
        others = sum(run.reason not in (None, result.reason) for run in result.runs)
        more = f" ({_many(others, 'run')} for other reasons)" if others else ""
        lines.append(f"{result.entry.name}, {result.state}: {result.reason.rstrip('.')}{more}.")
    return lines


def cited(published: Iterable[Published]) -> list[str]:
    """The sources of published rows."""
    return [
        f"Published: {source.short}, {source.url}; on the authors' split. Means of their figures are ours."
        for source in published
    ]


def _significant(field: Field) -> bool:
    p_values = (p for test in field.significance.values() for row in test.p for p in row)
    return any(p is not None and p <= ALPHA for p in p_values)


def _one_training(result: Result) -> bool:
    """Whether the bootstrap can't resample the seeds of an entry: it has one, or lacks runs."""
    return result.state != "done" or len({record.spec.seed for record in result.records}) < 2


def _methods(board: Board, stability: Stability, ranked: Sequence[Result]) -> list[str]:
    """Kendall's tau between the board's ranking and the rankings of the other methods."""
    tied = "this ranking ties" if len({result.rank for result in ranked}) == 1 else "ties"
    taus = {
        pair.a if pair.b == board.rank_method else pair.b: pair.tau
        for pair in stability.methods
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
    total = sum(c.cases for of_entry in cells.values() for c in of_entry)
    if not total:
        return ""
    penalised = {entry: sum(c.penalised for c in of_entry) for entry, of_entry in cells.items()}
    errors = {entry: sum(c.errors for c in of_entry) for entry, of_entry in cells.items()}
    empty = {entry: sum(c.excluded - c.errors for c in of_entry) for entry, of_entry in cells.items()}
    parts = []
    if count := sum(penalised.values()):
        verb = "is a penalty" if count == 1 else "are penalties"
        parts.append(f"{count} of {total} scores {verb} (structure missed or invented): {_who(penalised)}")
    if count := sum(empty.values()):
        parts.append(f"{count} left out (structure in neither reference nor prediction): {_who(empty)}")
    if count := sum(errors.values()):
        parts.append(f"{count} left out (could not be computed): {_who(errors)}")
    return ". ".join(parts) + "." if parts else f"none of {total} scores is a penalty or left out."


def _who(by_entry: Mapping[str, int]) -> str:
    """The entries with their counts, largest first."""
    some = sorted((-count, name) for name, count in by_entry.items() if count)
    names = [f"{name} {-count}" for count, name in some[:_NAMED]]
    rest = some[_NAMED:]
    if rest:
        more = _many(len(rest), "more entry", "more entries")
        names.append(f"{more} {-sum(count for count, _ in rest)}")
    return ", ".join(names)


def _many(count: int, singular: str, plural: str | None = None) -> str:
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def _listed(noun: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return f"no {noun}"
    if len(numbers) > 3 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{noun}s {numbers[0]} to {numbers[-1]}"
    return f"{noun}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
