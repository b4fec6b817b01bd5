"""The files of a leaderboard: their shape, their bytes, and that they can be read again."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
from dataclasses import replace

import made_records
import pytest
from markdown_it import MarkdownIt

from harness.board.board import Entry, LeftOut
from harness.errors import HarnessError
from harness.store.record import read_records
from harness.views.json_values import comparison_json, leaderboard_json
from harness.views.leaderboard_folder import leaderboard_markdown, write_leaderboard
from harness.views.long_csv import leaderboard_csv

ENTRY = {
    "rank", "rank_interval", "group", "entry", "model", "loss", "dataset", "params", "state", "runs",
    "scores", "overall", "overall_ci95", "clinical", "cost", "hardware",
}  # fmt: skip
COST = {
    "train_s", "predict_s_median", "predict_s_p95", "gpu_train_mib", "gpu_predict_mib", "host_mib",
    "parameters", "flops",
}  # fmt: skip
CELL = {"mean", "ci95", "sd", "n", "penalised", "excluded"}


def with_failure():
    bad = made_records.record(
        entry=("wide|net", "mine"), status="failed", failure=made_records.failure("a | b")
    )
    return [*made_records.quick(patients=6), bad]


def test_json_has_the_documented_shape(board_of, poster):
    value = leaderboard_json(board_of(with_failure()), [poster])
    assert list(value) == [
        "schema", "leaderboard", "protocol", "protocol_hash", "split_hash", "rank_method", "stability",
        "noise_floor", "entries", "published", "left_out",
    ]  # fmt: skip
    assert (value["schema"], value["published"]) == (1, [])
    assert value["split_hash"] == "5e6f7a8b" * 8
    for entry in value["entries"]:
        assert set(entry) == ENTRY
        assert set(entry["cost"]) == COST
        cells = [c for s in entry["scores"].values() for p in s.values() for c in p.values()]
        assert all(set(cell) == CELL for cell in cells)
    first, last = value["entries"][0], value["entries"][-1]
    assert (first["rank"], first["entry"], first["state"]) == (1, "unet2d[base=8] + log-dice", "done")
    assert set(first["scores"]["dice"]["LV"]) == {"ED", "ES"}
    assert first["overall"]["dice"] == pytest.approx(
        sum(c["mean"] for p in first["scores"]["dice"].values() for c in p.values()) / 6
    )
    assert (first["rank_interval"][0], first["group"]) == (1, "A")
    low, high = first["overall_ci95"]["dice"]
    assert low <= first["overall"]["dice"] <= high
    assert all(c["ci95"][0] <= c["mean"] <= c["ci95"][1] for c in first["scores"]["hd"]["RV"].values())
    assert (last["rank"], last["state"], last["scores"]) == (None, "failed", {})
    assert (last["rank_interval"], last["group"], last["overall_ci95"]) == (None, None, {})
    assert last["runs"][0]["reason"] == "a | b"


def test_json_never_holds_nan(board_of):
    bad = made_records.record(
        [made_records.score("a", math.nan), made_records.score("b", math.inf, metric="hd")],
        time_s={"train": math.nan},
        memory_mib={"host_peak": math.inf},
    )
    text = json.dumps(leaderboard_json(board_of([bad])), allow_nan=False)
    assert json.loads(text)["entries"][0]["cost"]["train_s"] is None


def test_two_datasets_have_two_split_hashes(board_of, poster):
    records = made_records.quick(patients=2) + made_records.quick(patients=2, dataset="acdc")
    value = leaderboard_json(board_of(records), [poster])
    assert value["split_hash"] == {"acdc": "5e6f7a8b" * 8, "phantom": "5e6f7a8b" * 8}
    assert len(value["published"]) == 6


def test_json_tells_how_sure_the_ranking_is(board_of):
    value = leaderboard_json(board_of(made_records.quick(seeds=(0, 1))))
    assert value["rank_method"] == "aggregate-then-rank"
    assert set(value["stability"]) == {"resamples", "tau", "ci95", "methods"}
    assert {(m["a"], m["b"]) for m in value["stability"]["methods"]} == {
        ("aggregate-then-rank", "rank-then-aggregate"),
        ("aggregate-then-rank", "test-then-rank"),
        ("rank-then-aggregate", "test-then-rank"),
    }
    assert set(value["noise_floor"]["dice"]) == {"difference", "decimals", "sd", "df", "seeds"}
    assert "volume" not in value["noise_floor"]
    json.dumps(value, allow_nan=False)


def test_json_names_what_was_left_out(board_of):
    records = made_records.quick(patients=2)
    apart = LeftOut(Entry("net", "x", "phantom"), "r1", "another split")
    value = leaderboard_json(board_of(records, left_out=[apart]))
    assert value["left_out"] == [
        {"run_id": "r1", "entry": "net + x", "dataset": "phantom", "reason": "another split"}
    ]


def test_csv_is_long_and_loses_no_entry(board_of):
    records = with_failure()
    lines = list(csv.DictReader(io.StringIO(leaderboard_csv(board_of(records)))))
    assert len(lines) == 6 * 6 * 3 * 2 + 1
    one = next(
        x for x in lines if (x["rank"], x["metric"], x["structure"], x["phase"]) == ("1", "hd", "LV", "ES")
    )
    values = [s.value for s in records[1].cases if (s.metric, s.structure, s.phase) == ("hd", "LV", "ES")]
    assert float(one["mean"]) == pytest.approx(sum(values) / 6)
    assert (one["n"], one["penalised"], one["excluded"]) == ("6", "0", "0")
    assert float(one["ci95_low"]) <= float(one["mean"]) <= float(one["ci95_high"])
    assert (one["rank_low"], one["group"]) == ("1", "A")
    assert (lines[-1]["entry"], lines[-1]["state"], lines[-1]["mean"]) == ("wide|net + mine", "failed", "")


def test_markdown_is_tables_that_a_reader_parses(board_of, poster):
    records = made_records.quick(dataset="acdc", patients=2, gpu=True)
    records.append(
        made_records.record(
            entry=("wide|net", "mine"),
            dataset="acdc",
            status="failed",
            failure=made_records.failure("<b> | *x*"),
        )
    )
    page = MarkdownIt("commonmark").enable("table").parse(leaderboard_markdown(board_of(records), [poster]))
    assert sum(token.type == "table_open" for token in page) == 8
    assert not any(token.type in ("html_block", "html_inline") for token in page)
    rows = []
    for token in page:
        if token.type == "table_open":
            rows.append([])
        elif token.type == "tr_open":
            rows[-1].append(0)
        elif token.type in ("th_open", "td_open"):
            rows[-1][-1] += 1
    beside = [1 + 7 + 6, 1 + 7 + 6, 1 + 7 + 6, 1 + 7, 1 + 7, 1 + 7 + 2]
    # Cell by cell, Dice and Hausdorff: the six that are published.
    assert [len(table) for table in rows] == [*beside, 1 + 6, 1 + 6]
    assert all(len(set(table)) == 1 for table in rows)
    inline = ["".join(c.content for c in token.children or ()) for token in page if token.type == "inline"]
    assert "wide|net" in inline
    assert any(re.fullmatch(r"0\.\d{3}\*", text) for text in inline)
    assert "wide|net + mine, failed: <b> | *x*." in inline


def test_equal_input_gives_equal_bytes(tmp_path, board_of, poster):
    """A rebuilt leaderboard must show as a clean diff, whatever the order on disk was."""
    records = made_records.quick(patients=3, seeds=(1, 0))
    write_leaderboard(tmp_path / "a", board_of(records), records, [poster])
    random.Random(0).shuffle(records)
    write_leaderboard(tmp_path / "b", board_of(records), records, [poster])
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == ["clinical.csv", "leaderboard.csv", "leaderboard.json", "leaderboard.md", "records.jsonl"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_leaderboard_can_be_rebuilt_from_its_own_records(tmp_path, board_of):
    records = made_records.quick(patients=3)
    write_leaderboard(tmp_path / "a", board_of(records), records)
    again = read_records(tmp_path / "a")
    write_leaderboard(tmp_path / "b", board_of(again), again)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_record_with_nan_is_refused_by_name_and_nothing_is_written(tmp_path, board_of):
    bad = made_records.record([made_records.score("a", math.nan)])
    with pytest.raises(HarnessError, match=r"unet2d-log-dice-phantom-s0-f0.*not finite"):
        write_leaderboard(tmp_path, board_of([bad]), [bad])
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_is_json():
    from harness.board.compare import compare

    records = made_records.quick(patients=2)
    value = json.loads(json.dumps(comparison_json(compare(records[:1], records[1:2])), allow_nan=False))
    assert (value["schema"], value["a"]) == (1, "unet2d[base=8] + cross-entropy")
    assert value["cells"][0]["p"] is None


def test_full_disk_leaves_the_old_files(tmp_path, board_of, monkeypatch):
    import harness.views.leaderboard_folder as write

    records = made_records.quick(patients=2)
    write_leaderboard(tmp_path, board_of(records), records)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(path, text):
        raise HarnessError("no space left on disk", where=path)

    monkeypatch.setattr(write, "write_text", full)
    other = [replace(record, attempts=2) for record in records]
    with pytest.raises(HarnessError, match="no space"):
        write_leaderboard(tmp_path, board_of(other), other)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
