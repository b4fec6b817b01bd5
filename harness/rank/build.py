"""One leaderboard out of its records and its plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.rank import clinical
from harness.rank.aggregate import Gathered, gather, layout, overall, scores_of
from harness.rank.board import Board, Entry, Field, PlannedRun, Result
from harness.rank.cost import cost_of, hardware_of
from harness.rank.match import Matched, Slot, check_comparable, match, state_of
from harness.rank.ranking import rank
from harness.store.record import Record


def build(
    name: str,
    protocol: Mapping[str, Any],
    protocol_hash: str,
    split_hash: str | Mapping[str, str] | None,
    records: Sequence[Record],
    planned: Sequence[PlannedRun] = (),
    *,
    notes: Sequence[str] = (),
) -> Board:
    """Rank the complete entries of each dataset; keep the others below, with state and reason.

    `records` are of one protocol and of one split a dataset: HarnessError otherwise.
    `split_hash` is one string, or one a dataset's label; None takes it from the records. `notes`
    go into the captions.
    """
    check_comparable(records)
    entries, slots, unused = match(records, planned)
    by_dataset: dict[str, list[Matched]] = defaultdict(list)
    for matched in entries:
        by_dataset[matched.entry.dataset].append(matched)
    fields, results = [], []
    for dataset in sorted(by_dataset):
        group = by_dataset[dataset]
        gathered = [gather(matched.records) for matched in group]
        field = _field(dataset, group, gathered, slots[dataset], split_hash, unused)
        metrics = _metrics(protocol, gathered)
        computed = _complete([_result(m, g, field, metrics) for m, g in zip(group, gathered, strict=True)])
        results += _ranked(computed, tuple(protocol.get("rank_by", ("dice",))))
        fields.append(field)
    return Board(name, dict(protocol), protocol_hash, tuple(fields), tuple(results), tuple(notes))


def _field(
    dataset: str,
    group: Sequence[Matched],
    gathered: Sequence[Gathered],
    slots: Sequence[Slot],
    split_hash: str | Mapping[str, str] | None,
    unused: Iterable[Record],
) -> Field:
    records = [record for matched in group for record in matched.records]
    structures, phases = layout((r.spec for r in records), (key for one in gathered for key in one))
    if split_hash is None:
        split_hash = next((r.keys["split"] for r in records if "split" in r.keys), None)
    tested = {pair for one in gathered for pair in _tested(one)}
    return Field(
        dataset,
        split_hash.get(dataset) if isinstance(split_hash, Mapping) else split_hash,
        structures,
        phases,
        tuple(sorted({seed for seed, _ in slots})),
        tuple(sorted({fold for _, fold in slots})),
        patients=len({patient for _, patient in tested}),
        cases=len(tested),
        notes=(
            *_unused(sorted(r.run_id for r in unused if r.spec["dataset"]["label"] == dataset)),
            *(note for matched in group for note in _external(matched)),
        ),
    )


def _tested(gathered: Gathered) -> set[tuple[str, str]]:
    """Cases with their patients. Each case is scored by every metric, so one metric tells."""
    first = next((metric for metric, _, _ in gathered), None)
    return {
        (score.case, score.patient)
        for (metric, _, _), scores in gathered.items()
        if metric == first
        for score in scores
    }


def _external(matched: Matched) -> Iterable[str]:
    """That an entry's predictions were made elsewhere, and how many there are none of."""
    if matched.records and matched.records[0].spec["model"].get("external"):
        missing = sum(len(record.data.get("missing", ())) for record in matched.records)
        lacking = (
            f"; no prediction of {missing} case{'s' * (missing > 1)}, scored as empty" if missing else ""
        )
        yield f"{matched.entry.model}: predictions made elsewhere, scored here{lacking}"


def _unused(run_ids: Sequence[str]) -> tuple[str, ...]:
    if not run_ids:
        return ()
    runs = "1 finished run belongs" if len(run_ids) == 1 else f"{len(run_ids)} finished runs belong"
    named = ", ".join(run_ids[:5]) + (", …" if len(run_ids) > 5 else "")
    return (f"{runs} to other seeds, folds or plugin versions than planned; not counted: {named}.",)


def _metrics(protocol: Mapping[str, Any], gathered: Iterable[Gathered]) -> list[str]:
    """The protocol's metrics in its order, then any other that was scored."""
    named = list(protocol.get("metrics", ()))
    scored = {metric for one in gathered for metric, _, _ in one}
    return named + sorted(scored - set(named))


def _result(matched: Matched, gathered: Gathered, field: Field, metrics: Iterable[str]) -> Result:
    scores = scores_of(gathered, metrics, field.structures, field.phases)
    heart = clinical.applies(scores, field.structures, field.phases)
    return Result(
        matched.entry,
        state_of(matched.runs),
        matched.runs,
        params=matched.params,
        reason=next((run.reason for run in matched.runs if run.reason), None),
        scores=scores,
        overall=overall(scores),
        cost=cost_of(matched.records),
        hardware=hardware_of(matched.records),
        clinical=tuple(clinical.pairs(matched.records)) if heart else (),
    )


def _complete(results: Sequence[Result]) -> list[Result]:
    """Make entries incomplete that lack cases which others have: theirs are means of something else."""
    most: dict[tuple[str, str, str], int] = {}
    for result in results:
        for key, cases in _cases(result).items():
            most[key] = max(cases, most.get(key, 0))
    checked = []
    for result in results:
        if result.state == "done":
            have = _cases(result)
            short = next((key for key in most if have.get(key, 0) < most[key]), None)
            if short is not None:
                what = f"{most[short] - have.get(short, 0)} of {most[short]} cases have no {' '.join(short)}"
                result = replace(result, state="incomplete", reason=what)
        checked.append(result)
    return checked


def _cases(result: Result) -> dict[tuple[str, str, str], int]:
    return {
        (metric, structure, phase): cell.cases
        for metric, structures in result.scores.items()
        for structure, phases in structures.items()
        for phase, cell in phases.items()
    }


def _ranked(results: Sequence[Result], rank_by: Sequence[str]) -> list[Result]:
    means: dict[Entry, dict[str, float]] = {}
    settled = []
    for result in results:
        if result.state == "done":
            values = {name: result.overall.get(name) for name in rank_by}
            absent = [name for name, value in values.items() if value is None]
            if absent:
                result = replace(result, reason=f"has no mean {absent[0]}, so it can't be ranked")
            else:
                means[result.entry] = {name: value for name, value in values.items() if value is not None}
        settled.append(result)
    standings = rank(means, rank_by)
    placed = [
        replace(r, rank=s.rank, mean_rank=s.mean_rank, metric_ranks=s.metric_ranks)
        if (s := standings.get(r.entry))
        else r
        for r in settled
    ]
    order = ("done", "incomplete", "running", "failed", "skipped", "todo")
    return sorted(
        placed,
        key=lambda r: (r.rank is None, r.rank or 0, order.index(r.state), r.entry.model, r.entry.loss),
    )
