"""A leaderboard from its records and the runs that it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.board import clinical
from harness.board.aggregate import Cases, Gathered, case_values, gather, layout, overall, scores_of
from harness.board.assign_records import EntryRuns, assign, check_comparable
from harness.board.board import Board, Field, LeftOut, Result, Slot
from harness.board.cost import cost_of, hardware_of
from harness.board.entry_state import EntryState, entry_state
from harness.board.rank_entries import ScoredEntry, rank_entries
from harness.board.seed_scores import SeedScores, scores_by_seed
from harness.config.protocol import Protocol
from harness.stats.arrays import Key
from harness.stats.bootstrap import RESAMPLES
from harness.stats.noise_floor import NoiseFloor, noise_floor
from harness.store.record import Record


def build(
    name: str,
    protocol: Protocol,
    protocol_hash: str,
    records: Sequence[Record],
    required: Sequence[EntryRuns] = (),
    *,
    left_out: Sequence[LeftOut] = (),
    resamples: int = RESAMPLES,
) -> Board:
    """Rank the complete entries of each dataset; list the others below them, with state and reason.

    `records` are of one protocol and of one split for each dataset: HarnessError otherwise.
    With `resamples` 0 there are no intervals, groups or stability.
    """
    check_comparable(records)
    entries, slots, unused = assign(records, required)
    by_dataset: dict[str, list[EntryRuns]] = defaultdict(list)
    for entry_runs in entries:
        by_dataset[entry_runs.entry.dataset].append(entry_runs)
    fields, results = [], []
    for dataset in sorted(by_dataset):
        group = by_dataset[dataset]
        gathered = [gather(entry_runs.records) for entry_runs in group]
        field = _field(dataset, group, gathered, slots[dataset], unused)
        scored = _scored(group, gathered, field, _metrics(protocol.metrics, gathered))
        ranked, field = rank_entries(scored, field, protocol, resamples)
        results += ranked
        fields.append(replace(field, noise_floor=_noise_floor(entry.seeds for entry in scored)))
    return Board(
        name,
        protocol,
        protocol_hash,
        tuple(fields),
        tuple(results),
        tuple(sorted(left_out, key=lambda run: (run.entry.dataset, run.entry.name, run.run_id))),
    )


def _scored(
    group: Sequence[EntryRuns], gathered: Sequence[Gathered], field: Field, metrics: Sequence[str]
) -> list[ScoredEntry]:
    """The results of a dataset's entries, not yet ranked, with the scores behind them."""
    values = [{key: case_values(scores) for key, scores in by_key.items()} for by_key in gathered]
    results = _without_missing_cases(
        [
            _result(entry_runs, by_key, cases, field, metrics)
            for entry_runs, by_key, cases in zip(group, gathered, values, strict=True)
        ]
    )
    return [
        ScoredEntry(result, by_key, cases, _seed_scores(entry_runs, result, metrics, field))
        for entry_runs, result, by_key, cases in zip(group, results, gathered, values, strict=True)
    ]


def _field(
    dataset: str,
    group: Sequence[EntryRuns],
    gathered: Sequence[Gathered],
    slots: Sequence[Slot],
    unused: Iterable[Record],
) -> Field:
    records = [record for entry_runs in group for record in entry_runs.records]
    structures, phases = layout((r.spec for r in records), (key for by_key in gathered for key in by_key))
    tested = {pair for by_key in gathered for pair in _tested(by_key)}
    return Field(
        dataset,
        next((r.keys["split"] for r in records if "split" in r.keys), None),
        structures,
        phases,
        tuple(sorted({seed for seed, _ in slots})),
        tuple(sorted({fold for _, fold in slots})),
        patients=len({patient for _, patient in tested}),
        cases=len(tested),
        notes=(
            *_unused(sorted(r.run_id for r in unused if r.spec.dataset.label == dataset)),
            *(note for entry_runs in group for note in _external(entry_runs)),
        ),
    )


def _tested(gathered: Gathered) -> set[tuple[str, str]]:
    """The cases with their patients, from one metric, because every case is scored by every metric."""
    first = next((metric for metric, _, _ in gathered), None)
    return {
        (score.case, score.patient)
        for (metric, _, _), scores in gathered.items()
        if metric == first
        for score in scores
    }


def _external(entry_runs: EntryRuns) -> Iterable[str]:
    """A note that an entry is external, with the number of its missing predictions."""
    if entry_runs.records and entry_runs.records[0].spec.model.external:
        missing = sum(len(record.missing) for record in entry_runs.records)
        lacking = (
            f"; no prediction of {missing} case{'s' * (missing > 1)}, scored as empty" if missing else ""
        )
        yield f"{entry_runs.entry.model}: predictions made elsewhere, scored here{lacking}"


def _unused(run_ids: Sequence[str]) -> tuple[str, ...]:
    if not run_ids:
        return ()
    runs = "1 finished run belongs" if len(run_ids) == 1 else f"{len(run_ids)} finished runs belong"
    named = ", ".join(run_ids[:5]) + (", …" if len(run_ids) > 5 else "")
    return (f"{runs} to other seeds, folds or plugin versions than planned; not counted: {named}.",)


def _metrics(named: Sequence[str], gathered: Iterable[Gathered]) -> list[str]:
    """The protocol's metrics `named` in their order, then any other that was scored."""
    scored = {metric for by_key in gathered for metric, _, _ in by_key}
    return [*named, *sorted(scored - set(named))]


def _seed_scores(entry_runs: EntryRuns, result: Result, metrics: Sequence[str], field: Field) -> SeedScores:
    """An entry's scores by seed; empty unless it is complete, as seeds would differ in their folds too."""
    if result.state != "done":
        return {}
    return scores_by_seed(entry_runs.records, metrics, field.structures, field.phases)


def _noise_floor(entries: Iterable[SeedScores]) -> dict[str, NoiseFloor] | None:
    return noise_floor({seed: overall(scores) for seed, scores in by_seed.items()} for by_seed in entries)


def _result(
    entry_runs: EntryRuns,
    gathered: Gathered,
    values: Mapping[Key, Cases],
    field: Field,
    metrics: Iterable[str],
) -> Result:
    scores = scores_of(gathered, metrics, field.structures, field.phases, values)
    is_cardiac = clinical.applies(scores, field.structures, field.phases)
    return Result(
        entry_runs.entry,
        entry_state(run.state for run in entry_runs.runs),
        entry_runs.runs,
        params=entry_runs.params,
        reason=next((run.reason for run in entry_runs.runs if run.reason), None),
        scores=scores,
        overall=overall(scores),
        cost=cost_of(entry_runs.records),
        hardware=hardware_of(entry_runs.records),
        records=entry_runs.records,
        clinical=tuple(clinical.pairs(entry_runs.records)) if is_cardiac else (),
    )


def _without_missing_cases(results: Sequence[Result]) -> list[Result]:
    """The results, incomplete where they lack cases that others have: their means are not comparable."""
    expected: dict[Key, int] = {}
    for result in results:
        for key, cases in _cases(result).items():
            expected[key] = max(cases, expected.get(key, 0))
    return [_checked(result, expected) for result in results]


def _checked(result: Result, expected: Mapping[Key, int]) -> Result:
    if result.state != "done":
        return result
    cases = _cases(result)
    for key, number in expected.items():
        if missing := number - cases.get(key, 0):
            reason = f"{missing} of {number} cases have no {' '.join(key)}"
            return replace(result, state=EntryState.INCOMPLETE, reason=reason)
    return result


def _cases(result: Result) -> dict[Key, int]:
    """The number of cases in each cell."""
    return {
        (metric, structure, phase): cell.cases
        for metric, structures in result.scores.items()
        for structure, phases in structures.items()
        for phase, cell in phases.items()
    }
