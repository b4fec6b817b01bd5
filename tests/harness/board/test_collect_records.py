"""Which records on disk belong to a leaderboard, and why the others don't."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import made_records
import pytest
from made_specs import with_model

from harness.board.build import build
from harness.board.collect_records import collect
from harness.config.protocol import Protocol, hash_for
from harness.contract.spec import Algorithms
from harness.errors import HarnessError
from harness.plan import keys as versions
from harness.plan.choice import Choice
from harness.plan.matrix import Matrix, PlannedEntry
from harness.store.merge import merge
from harness.store.record import to_line
from harness.store.runs import RunsFolder
from harness.views.leaderboard_folder import write_leaderboard

PROTOCOL = Protocol()


def a_record(loss="ce", protocol=PROTOCOL, **other):
    """A finished record as a worker of this version writes it."""
    made = made_records.record([made_records.score(p, 0.8) for p in "ab"], entry=("unet2d", loss))
    fields = {"manifest_hash": "m" * 64, "split_hash": "s" * 64, **other}
    spec = replace(made.spec, scoring=protocol.resolved(2), **fields)
    spec = spec if "algorithms" in other else replace(spec, algorithms=versions.algorithms(spec.scoring))
    names = len(spec.as_json()["protocol"])
    return replace(made, spec=spec, keys=versions.keys(spec), run_id=f"{loss}-{names}-{spec.seed}")


@pytest.fixture
def found_in(tmp_path):
    """What is collected from a leaderboard's folder that holds these records."""

    def make(*records):
        (tmp_path / "records.jsonl").write_text("".join(map(to_line, records)), encoding="utf-8")
        return collect("quick", PROTOCOL, Matrix((), ()), RunsFolder(tmp_path / "runs"), tmp_path)

    return make


def test_comparable_records_are_all_there(found_in):
    found = found_in(a_record(), a_record("dice"))
    assert len(found.records) == 2
    assert found.left_out == ()


def test_another_protocol_is_named_by_what_differs(found_in):
    other = replace(a_record("dice", PROTOCOL.model_copy(update={"spacing_mm": 2.0})), run_id="other")
    found = found_in(a_record(), other)
    assert [r.run_id for r in found.records] != ["other"]
    (apart,) = found.left_out
    assert (apart.run_id, apart.entry.loss) == ("other", "dice")
    assert apart.reason == "another protocol: spacing_mm 2.0, not 1.5"


def test_what_is_left_out_stays_in_the_folder_until_a_result_takes_its_place(found_in, tmp_path):
    """Who looks at a table under a protocol that is being tried must not lose what was committed."""
    old = replace(a_record("dice", PROTOCOL.model_copy(update={"spacing_mm": 2.0})), run_id="old")
    assert found_in(a_record(), old).kept == (old,)
    failed = replace(a_record("dice"), status="failed", failure=made_records.failure("out of luck"), cases=())
    finish(tmp_path, failed)
    assert found_in(a_record(), old).kept == (old,)
    finish(tmp_path, a_record("dice"))
    now = found_in(a_record(), old)
    assert (now.kept, now.left_out) == ((), ())


def test_only_the_same_seed_takes_the_place_of_a_result(found_in):
    old = PROTOCOL.model_copy(update={"spacing_mm": 2.0})
    both = [replace(a_record("dice", old, seed=seed), run_id=f"old-{seed}") for seed in (0, 1)]
    found = found_in(a_record("dice"), *both)
    assert [one.run_id for one in found.left_out] == ["old-1"]


def test_a_committed_failure_is_still_one_when_the_protocol_is_changed_back(found_in):
    failed = replace(
        a_record("dice", PROTOCOL.model_copy(update={"spacing_mm": 2.0})),
        run_id="old",
        status="failed",
        failure=made_records.failure("out of luck"),
    )
    found = found_in(a_record(), failed)
    assert (found.kept, found.left_out) == ((failed,), ())


def test_what_moves_no_score_keeps_nothing_out(found_in):
    other = PROTOCOL.model_copy(update={"rank_method": "test-then-rank", "seeds": (0, 1)})
    model = a_record().spec.model
    assert hash_for(other, model) == hash_for(PROTOCOL, model)
    assert found_in(replace(a_record("dice", other), run_id="x")).left_out == ()


def test_runs_of_other_leaderboards_are_not_mentioned(found_in, tmp_path):
    other = replace(
        a_record("dice", PROTOCOL.model_copy(update={"spacing_mm": 2.0}), leaderboard="standard"),
        run_id="other",
    )
    finish(tmp_path, other)
    assert found_in(a_record()).left_out == ()


def finish(folder, record):
    """Leave a record in the folder of runs, as a worker does."""
    run = RunsFolder(folder / "runs").run(record.run_id)
    run.plan(record.spec)
    run.finish(record)


def on(data, *names):
    """Finished records on one state of the data, told apart by their loss."""
    return [replace(a_record(name, manifest_hash=data * 64), run_id=f"{data}-{name}") for name in names]


def write(folder, found):
    """Leave in a leaderboard's folder what its command leaves there."""
    ranked = build("quick", PROTOCOL, "h", found.records, left_out=found.left_out)
    write_leaderboard(folder, ranked, [*found.records, *found.kept])


def test_without_its_runs_a_folder_gives_the_same_tables(found_in, tmp_path):
    """The new data count from the first run on, also in a clone, where most records are of the old."""
    old, (new,) = on("o", "ce", "dice", "focal", "tversky"), on("n", "new")
    finish(tmp_path, new)
    found = found_in(*old)
    assert found.records == (new,)
    write(tmp_path, found)
    for runs in ("runs", "none"):
        again = collect("quick", PROTOCOL, Matrix((), ()), RunsFolder(tmp_path / runs), tmp_path)
        assert (again.records, set(map(repr, again.left_out))) == ((new,), set(map(repr, found.left_out)))
        assert {one.run_id for one in again.kept} == {one.run_id for one in old}


def test_a_leaderboard_merged_elsewhere_keeps_what_is_ranked(found_in, tmp_path):
    old, (new,) = on("o", "ce", "dice"), on("n", "new")
    finish(tmp_path, new)
    write(tmp_path, found_in(*old))
    shutil.rmtree(tmp_path / "runs")
    merge([tmp_path], RunsFolder(tmp_path / "there"))
    found = collect("quick", PROTOCOL, Matrix((), ()), RunsFolder(tmp_path / "there"), tmp_path / "empty")
    assert found.records == (new,)


def test_what_was_left_out_counts_where_there_is_nothing_else(found_in, tmp_path):
    old, (new,) = on("o", "ce", "dice"), on("n", "new")
    finish(tmp_path, new)
    write(tmp_path, found_in(*old))
    assert found_in(*old).records == (new,)
    shutil.rmtree(tmp_path / "runs")
    assert {record.run_id for record in found_in(*old).records} == {one.run_id for one in old}


def test_a_damaged_table_is_told_rather_than_another_split_ranked(found_in, tmp_path):
    (tmp_path / "leaderboard.json").write_text("[")
    with pytest.raises(HarnessError, match=r"leaderboard\.json: is damaged.*delete it and rebuild"):
        found_in(a_record())


def test_a_failed_attempt_costs_no_committed_result(found_in, tmp_path):
    done = a_record()
    finish(tmp_path, replace(done, status="failed", failure=made_records.failure("out of luck"), cases=()))
    assert [record.status for record in found_in(done).records] == ["done"]


def test_a_failed_run_on_other_data_empties_no_table(found_in, tmp_path):
    other = a_record("dice", manifest_hash="n" * 64)
    finish(tmp_path, replace(other, status="failed", failure=made_records.failure("out of luck"), cases=()))
    assert [record.spec.loss.label for record in found_in(a_record()).records] == ["ce"]


def test_a_run_of_an_earlier_training_algorithm_is_left_out(found_in):
    old = replace(a_record("dice", algorithms=Algorithms(prepare=1, train=0, score=1)), run_id="old")
    found = found_in(a_record(), old)
    assert [record.run_id for record in found.records] != ["old"]
    (apart,) = found.left_out
    assert "earlier version" in apart.reason


@pytest.mark.parametrize(("optimiser", "same"), [("adamw", True), ("muon", False)])
def test_what_changes_one_optimiser_leaves_the_others_runs_as_they_are(optimiser, same, monkeypatch):
    protocol = PROTOCOL.model_copy(update={"optimiser": optimiser})
    record = a_record(protocol=protocol)
    then = versions.algorithms(record.spec.protocol)
    monkeypatch.setitem(versions.TRAINING, "muon", versions.TRAINING["muon"] + 1)
    assert (record.keys == a_record(protocol=protocol).keys) is same
    assert versions.trained_as_now(replace(record.spec, algorithms=then)) is same


@pytest.mark.parametrize(("step", "same"), [("prepare", False), ("score", True)])
def test_a_training_is_that_of_the_data_it_was_prepared_with(step, same, monkeypatch):
    """A model trained on data of an earlier preparation is another model."""
    record = a_record()
    spec = replace(record.spec, algorithms=versions.algorithms(record.spec.protocol))
    monkeypatch.setitem(versions.ALGORITHMS, step, versions.ALGORITHMS[step] + 1)
    assert versions.trained_as_now(spec) is same


def test_predictions_made_elsewhere_are_of_no_training_version(monkeypatch):
    """Else the next change of AdamW would drop what nnU-Net predicted from every table."""
    record = a_record()
    then = versions.algorithms(record.spec.protocol)
    monkeypatch.setitem(versions.TRAINING, "adamw", versions.TRAINING["adamw"] + 1)
    ours = replace(record.spec, algorithms=then)
    assert not versions.trained_as_now(ours)
    assert versions.trained_as_now(with_model(ours, external=True))


def test_a_damaged_spec_takes_no_table_down(found_in, tmp_path):
    (tmp_path / "runs" / "x").mkdir(parents=True)
    (tmp_path / "runs" / "x" / "spec.json").write_text("{}")
    finish(tmp_path, replace(a_record("dice"), run_id="y"))
    header = tmp_path / "runs" / "y" / "record.json"
    header.write_text(json.dumps({**json.loads(header.read_text()), "spec": {}}))
    assert len(found_in(a_record()).records) == 1


def test_unfinished_runs_are_not_left_out_but_to_do(found_in):
    other = a_record("dice", PROTOCOL.model_copy(update={"spacing_mm": 2.0}))
    assert found_in(replace(other, status="failed")).left_out == ()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("split_hash", "another split: tttttttt, not ssssssss"),
        ("manifest_hash", "other data: tttttttt, not mmmmmmmm"),
    ],
)
def test_another_split_or_other_data_is_said(found_in, what, reason):
    same = [a_record(), a_record("focal")]
    found = found_in(*same, replace(a_record("dice", **{what: "t" * 64}), run_id="other"))
    assert {r.spec.loss.label for r in found.records} == {"ce", "focal"}
    assert [(one.run_id, one.reason) for one in found.left_out] == [("other", reason)]


def test_scores_by_other_definitions_of_the_metrics_are_left_out(found_in, monkeypatch):
    old = a_record("dice")
    monkeypatch.setitem(versions.ALGORITHMS, "score", versions.ALGORITHMS["score"] + 1)
    found = found_in(a_record(), old)
    assert [r.spec.loss.label for r in found.records] == ["ce"]
    (apart,) = found.left_out
    assert "other metric definitions" in apart.reason
    assert "harness rescore" in apart.reason


LISTED = PlannedEntry(Choice(None, {}, "unet2d"), Choice(None, {}, "ce"), Choice(None, {}, "phantom"))


def required(tmp_path, committed=()):
    """The first of the runs that the leaderboard needs of its one entry."""
    (tmp_path / "records.jsonl").write_text("".join(map(to_line, committed)), encoding="utf-8")
    matrix = Matrix((LISTED,), (LISTED,))
    found = collect("quick", PROTOCOL, matrix, RunsFolder(tmp_path / "runs"), tmp_path)
    (entry,) = found.required
    return entry.runs[0].state, entry.runs[0].reason


def planned_run(tmp_path):
    """The folder of a run of that entry that has no record yet."""
    record = a_record()
    folder = RunsFolder(tmp_path / "runs").run(record.run_id)
    folder.plan(replace(record.spec, keys=record.keys))
    return folder


def test_an_entry_needs_a_run_whose_state_is_that_of_its_folder(tmp_path):
    assert required(tmp_path) == ("waiting", None)
    folder = planned_run(tmp_path)
    assert required(tmp_path) == ("waiting", None)
    with folder.locked():
        assert required(tmp_path) == ("running", None)
    (folder.path / "checkpoint.pt").touch()
    assert required(tmp_path) == ("stopped", None)
    folder.cancel()
    assert required(tmp_path) == ("cancelled", None)
    folder.want()
    record = a_record()
    folder.finish(replace(record, status="failed", failure=made_records.failure("out of luck"), cases=()))
    assert required(tmp_path) == ("failed", "out of luck")
    folder.reopen()
    assert required(tmp_path) == ("failed", "out of luck")
    folder.finish(record)
    assert required(tmp_path) == ("done", None)


def test_a_damaged_record_is_a_failure_in_the_table_as_in_status(tmp_path):
    (planned_run(tmp_path).path / "record.json").write_text("{")
    state, reason = required(tmp_path)
    assert state == "failed"
    assert reason.startswith("its record can't be used")


def test_a_finished_run_that_is_left_out_is_outdated_until_another_is_begun(tmp_path):
    folder = planned_run(tmp_path)
    old = a_record(algorithms=Algorithms(prepare=1, train=0, score=1))
    finish(tmp_path, replace(old, run_id="old", spec=replace(old.spec, keys=old.keys)))
    with folder.locked():
        assert required(tmp_path) == ("running", None)
    shutil.rmtree(folder.path)
    state, reason = required(tmp_path)
    assert state == "outdated"
    assert "earlier version" in reason


def test_a_failure_on_other_data_says_nothing_about_the_run_that_is_needed(tmp_path):
    committed = a_record("dice")
    failed = a_record(manifest_hash="n" * 64)
    finish(tmp_path, replace(failed, status="failed", failure=made_records.failure("out of luck"), cases=()))
    assert required(tmp_path, [committed]) == ("waiting", None)
