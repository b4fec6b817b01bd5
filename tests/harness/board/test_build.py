"""What stands on a board, ranked or not, and why."""

from __future__ import annotations

from dataclasses import replace

import made_records
import pytest
from made_specs import with_model

from harness.board.assign_records import EntryRuns
from harness.board.board import Entry, RequiredRun
from harness.board.build import build
from harness.contract.record import Failure
from harness.errors import HarnessError
from harness.store.state import RunState

HASH = "ab" * 32


def runs(*values, **other):
    """A finished record for each (loss, Dice of two patients)."""
    return [
        made_records.record(
            [made_records.score("a", first), made_records.score("b", second)], entry=("unet2d", loss), **other
        )
        for loss, first, second in values
    ]


def board(records, planned=None, **other):
    planned = [made_records.plan(record) for record in records] if planned is None else planned
    return build("quick", made_records.PROTOCOL, HASH, records, planned, **other)


def by_loss(board):
    return {result.entry.loss: result for result in board.results}


def test_complete_entries_are_ranked_by_their_means():
    records = runs(("ce", 0.7, 0.8), ("dice", 0.9, 0.8), ("sum", 0.8, 0.9))
    made = board(records)
    assert [(r.rank, r.entry.loss) for r in made.results] == [(1, "dice"), (1, "sum"), (3, "ce")]
    assert made.results[2].overall == {"dice": pytest.approx(0.75)}
    (field,) = made.fields
    assert (field.patients, field.cases, field.seeds, field.folds) == (2, 2, (0,), (0,))
    assert field.split_hash == "5e6f7a8b" * 8


def test_order_of_records_changes_nothing():
    records = made_records.quick(patients=3)
    assert board(records) == board(records[::-1])


def test_a_planned_run_that_is_missing_keeps_the_entry_unranked():
    """An entry that was tested on an easy fold only must not lead the table."""
    full = runs(("ce", 0.7, 0.7)) + runs(("ce", 0.6, 0.6), fold=1)
    half = runs(("dice", 0.9, 0.9))
    missing = made_records.plan(half[0], "waiting", run_id="x", fold=1)
    made = by_loss(board(full + half, [*map(made_records.plan, full + half), missing]))
    assert (made["ce"].rank, made["ce"].state) == (1, "done")
    assert (made["dice"].rank, made["dice"].state) == (None, "incomplete")
    assert [run.state for run in made["dice"].runs] == ["done", "waiting"]
    assert made["dice"].overall["dice"] == pytest.approx(0.9)


def test_an_entry_without_a_plan_for_some_fold_is_incomplete():
    full = runs(("ce", 0.7, 0.7)) + runs(("ce", 0.6, 0.6), fold=1)
    half = runs(("dice", 0.9, 0.9))
    made = by_loss(board(full + half))
    assert made["dice"].state == "incomplete"
    assert made["dice"].reason == "not planned for this entry"


def test_a_failed_entry_stays_with_its_message():
    good = runs(("ce", 0.7, 0.7))
    failure = Failure("train", "plugin", "loss is NaN in epoch 3")
    bad = made_records.record(entry=("unet2d", "dice"), status="failed", failure=failure)
    made = board([*good, bad], [made_records.plan(good[0]), made_records.plan(bad, "failed")])
    assert [r.entry.loss for r in made.results] == ["ce", "dice"]
    failed = made.results[1]
    assert (failed.rank, failed.state, failed.reason) == (None, "failed", "loss is NaN in epoch 3")
    assert failed.scores == {}
    assert failed.overall == {}


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("timeout", "failed", "timeout: gone"),
        ("out-of-memory", "failed", "out-of-memory: gone"),
        ("interrupted", "failed", "interrupted: gone"),
    ],
)
def test_other_ends_are_told_apart(status, state, reason):
    bad = made_records.record(status=status, failure=made_records.failure("gone"))
    (result,) = board([bad]).results
    assert (result.state, result.reason) == (state, reason)


@pytest.mark.parametrize("state", ["waiting", "skipped", "running"])
def test_an_entry_that_has_no_record_shows_its_plan(state):
    run = RequiredRun("", 0, 0, RunState(state), "because")
    planned = EntryRuns(Entry("net", "ce", "phantom"), {"model": {"base": 8}}, (run,))
    (result,) = board([], [planned]).results
    assert (result.state, result.reason, result.rank) == (state, "because", None)
    assert result.params == {"model": {"base": 8}}


def test_a_run_that_is_done_but_has_no_record_waits():
    planned = EntryRuns(Entry("net", "ce", "phantom"), {}, (RequiredRun("x", 0, 0, RunState.DONE),))
    (result,) = board([], [planned]).results
    assert (result.state, result.reason) == ("waiting", "its record is missing")


def test_an_entry_that_nobody_planned_joins_if_it_has_all_runs():
    planned = runs(("ce", 0.7, 0.7))
    joined = runs(("mine", 0.9, 0.9))
    made = board(planned + joined, [made_records.plan(planned[0])])
    assert [(r.rank, r.entry.loss) for r in made.results] == [(1, "mine"), (2, "ce")]


def test_finished_runs_outside_the_plan_are_named_not_averaged_in():
    """With --set leaderboard.seeds one entry may have more seeds on disk than the others."""
    planned = runs(("ce", 0.7, 0.7))
    extra = runs(("ce", 0.9, 0.9), seed=1)
    made = board(planned + extra, [made_records.plan(planned[0])])
    assert made.results[0].overall["dice"] == pytest.approx(0.7)
    (note,) = made.fields[0].notes
    assert extra[0].run_id in note
    assert "1 finished run belongs" in note


def test_an_entry_that_lacks_cases_of_the_others_is_not_ranked():
    """A truncated cases.jsonl, with the hard hearts gone, would win."""
    full = runs(("ce", 0.9, 0.5))
    short = made_records.record([made_records.score("a", 0.9)], entry=("unet2d", "dice"))
    made = by_loss(board([*full, short]))
    assert made["ce"].rank == 1
    assert (made["dice"].rank, made["dice"].state) == (None, "incomplete")
    assert made["dice"].reason == "1 of 2 cases have no dice LV ED"


def test_an_entry_whose_scores_went_wrong_is_not_ranked():
    good = runs(("ce", 0.9, 0.5))
    lost = made_records.record(
        [made_records.score(p, None, state="error") for p in "ab"], entry=("unet2d", "dice")
    )
    made = by_loss(board([*good, lost]))
    assert (made["dice"].rank, made["dice"].overall["dice"]) == (None, None)
    assert made["dice"].reason == "has no mean dice, so it can't be ranked"


def test_datasets_are_ranked_apart():
    records = runs(("ce", 0.7, 0.7), ("dice", 0.9, 0.9))
    records += runs(("ce", 0.9, 0.9), ("dice", 0.7, 0.7), dataset="acdc")
    made = board(records)
    assert [f.dataset for f in made.fields] == ["acdc", "phantom"]
    assert [(r.rank, r.entry.loss) for r in made.of("acdc")] == [(1, "ce"), (2, "dice")]
    assert [(r.rank, r.entry.loss) for r in made.of("phantom")] == [(1, "dice"), (2, "ce")]


@pytest.mark.parametrize("what", ["split", "protocol"])
def test_records_of_different_splits_or_protocols_are_refused(what):
    records = runs(("ce", 0.7, 0.7), ("dice", 0.9, 0.9))
    records[1] = replace(records[1], keys={**records[1].keys, what: "0" * 64})
    with pytest.raises(HarnessError, match=f"different {what}s"):
        board(records)


def test_2d_and_3d_models_have_their_own_resolved_protocol():
    records = made_records.quick(patients=2)
    other = [replace(r, keys={**r.keys, "protocol": "0" * 64}) if "3d" in r.run_id else r for r in records]
    assert all(r.rank for r in board(other).results)


def test_the_highest_plugin_version_counts_where_nobody_planned():
    planned = runs(("ce", 0.7, 0.7))
    old, new = runs(("mine", 0.5, 0.5), ("mine", 0.6, 0.6))
    old = replace(old, run_id="old")
    new = replace(new, spec=with_model(new.spec, version=2))
    made = by_loss(board([*planned, old, new], [made_records.plan(planned[0])]))
    assert made["mine"].overall["dice"] == pytest.approx(0.6)
    with pytest.raises(HarnessError, match="are both"):
        board([*planned, old, replace(old, run_id="other")], [made_records.plan(planned[0])])


def test_a_board_of_nothing_is_a_board():
    made = board([], [])
    assert (made.fields, made.results) == ((), ())
