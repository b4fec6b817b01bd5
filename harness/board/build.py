"""One leaderboard out of its records and its plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.board import clinical
from harness.board.aggregate import Cases, Gathered, Key, case_values, gather, layout, overall, scores_of
from harness.board.assign_records import Matched, Slot, check_comparable, match, state_of
from harness.board.board import Board, Field, LeftOut, RequiredRun, Result
from harness.board.bootstrap import RESAMPLES
from harness.board.cost import cost_of, hardware_of
from harness.board.rank_entries import place
from harness.board.seeds import BySeed, by_seed
from harness.stats.noise_floor import NoiseFloor, noise_floor
from harness.store.record import Record


def build(
    name: str,
    protocol: Mapping[str, Any],
    protocol_hash: str,
    split_hash: str | Mapping[str, str] | None,
    records: Sequence[Record],
    planned: Sequence[RequiredRun] = (),
    *,
    notes: Sequence[str] = (),
    left_out: Sequence[LeftOut] = (),
    resamples: int = RESAMPLES,
) -> Board:
    """Rank the complete entries of each dataset; keep the others below, with state and reason.

    `records` are of one protocol and of one split a dataset: HarnessError otherwise.
    `split_hash` is one string, or one a dataset's label; None takes it from the records. `notes`
    go into the captions. With `resamples` 0 nothing is resampled: no intervals, groups, stability.
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
        values = [{key: case_values(scores) for key, scores in one.items()} for one in gathered]
        parts = zip(group, gathered, values, strict=True)
        computed = _complete([_result(*part, field, metrics) for part in parts])
        seeds = [_seeds(*part, metrics, field) for part in zip(group, computed, strict=True)]
        ranked, field = place(computed, gathered, values, seeds, field, protocol, resamples)
        results += ranked
        fields.append(replace(field, noise_floor=_noise_floor(seeds)))
    return Board(
        name,
        dict(protocol),
        protocol_hash,
        tuple(fields),
        tuple(results),
        tuple(notes),
        tuple(sorted(left_out, key=lambda one: (one.entry.dataset, one.entry.name, one.run_id))),
    )


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


def _seeds(matched: Matched, result: Result, metrics: Sequence[str], field: Field) -> BySeed:
    """An entry's scores by seed; its seeds tell nothing while some of its folds are missing."""
    if result.state != "done":
        return {}
    return by_seed(matched.records, metrics, field.structures, field.phases)


def _noise_floor(seeds: Iterable[BySeed]) -> dict[str, NoiseFloor] | None:
    return noise_floor({seed: overall(scores) for seed, scores in own.items()} for own in seeds)


def _result(
    matched: Matched, gathered: Gathered, values: Mapping[Key, Cases], field: Field, metrics: Iterable[str]
) -> Result:
    scores = scores_of(gathered, metrics, field.structures, field.phases, values)
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
        records=matched.records,
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
