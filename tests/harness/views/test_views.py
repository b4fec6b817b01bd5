"""What the tables say about entries that are not simply done, and about how scores were counted."""

from __future__ import annotations

import re
from dataclasses import replace

import made_records
import pytest
from made_specs import with_model, with_protocol

from harness.board.assign_records import EntryRuns
from harness.board.board import Entry, LeftOut, RequiredRun
from harness.board.compare import compare
from harness.contract.record import Failure
from harness.errors import ConfigError
from harness.store.state import RunState
from harness.tables.arrange import arrange
from harness.tables.terminal import to_text
from harness.views.compare import comparison
from harness.views.leaderboard_folder import write_leaderboard
from harness.views.leaderboard_views import available, tables


def told(board, view="summary", width=200, **other):
    return to_text(tables(board, view, **other), width)


def column(table, title, group=""):
    (index,) = [i for i, c in enumerate(table.columns) if (c.title, c.group) == (title, group)]
    return [row.cells[index] for row in table.rows]


def test_a_failed_entry_is_a_row_with_a_reason_below(board_of):
    good = made_records.quick(patients=6)
    failure = Failure("train", "plugin", "loss is NaN in epoch 3.")
    bad = made_records.record(entry=("wide", "mine"), status="failed", failure=failure)
    text = told(board_of([*good, bad]), width=80)
    (row,) = [line for line in text.splitlines() if line.startswith("—")]
    assert row.split() == ["—", "—", "—", "wide", "mine", "—", "—", "—", "failed"]
    assert "── not ranked ─" in text
    assert "wide + mine, failed: loss is NaN in epoch 3.\n" in text


def test_an_entry_under_way_says_how_far_it_is(board_of):
    records = made_records.quick(patients=2, seeds=(0, 1))
    planned = [made_records.plan(r) for r in records]
    planned[0] = made_records.plan(records[0], "running")
    text = told(board_of(records[1:], planned))
    assert "running 1/2" in text


def test_penalties_and_omissions_are_said_in_words(board_of):
    scores = [
        made_records.score("a", 0.9),
        made_records.score("b", 0.0, state="prediction-empty"),
        made_records.score("c", None, state="both-empty"),
        made_records.score("d", None, state="error"),
    ]
    (table,) = tables(board_of([made_records.record(scores, entry=("net", "x"))]))
    assert (
        "Dice: 1 of 4 scores is a penalty (structure missed or invented): net + x 1. "
        "1 left out (structure in neither reference nor prediction): net + x 1. "
        "1 left out (could not be computed): net + x 1."
    ) in table.caption
    whole = tables(board_of(made_records.quick()))[0]
    assert "Dice, HD: none of 360 scores is a penalty or left out." in whole.caption


def test_means_are_over_phases_and_cells(board_of):
    scores = [
        made_records.score(p, value, structure=s, phase=phase)
        for p in "ab"
        for s, phase, value in (("LV", "ED", 0.9), ("LV", "ES", 0.7), ("RV", "ED", 0.5), ("RV", "ES", 0.4))
    ]
    (table,) = tables(board_of([made_records.record(scores)]))
    assert [c.text for c in column(table, "LV", "Dice")] == ["0.800"]
    assert [c.text for c in column(table, "RV", "Dice")] == ["0.450"]
    assert [c.text for c in column(table, "mean", "Dice")] == ["0.625"]


def test_the_posters_rows_stand_below_and_win_no_mark(board_of, poster):
    board = board_of(made_records.quick(dataset="acdc", patients=2))
    (table,) = tables(board, "hausdorff", published=[poster])
    below = [row for row in table.rows if row.kind == "published"]
    assert len(below) == 6
    assert {cell.text for row in below for cell in row.cells[:1]} == {"—"}
    assert not any(cell.best for row in below for cell in row.cells)
    assert "Patravali et al. 2017, https://arxiv.org/abs/1707.09813" in " ".join(table.caption)


def test_the_posters_rows_are_not_shown_for_other_data(board_of, poster):
    (table,) = tables(board_of(made_records.quick(patients=2)), published=[poster])
    assert all(row.kind == "ranked" for row in table.rows)


def test_published_costs_are_by_model(board_of, poster):
    board = board_of(made_records.quick(dataset="acdc", patients=2, gpu=True))
    (table,) = tables(board, "cost", published=[poster])
    below = [[c.text for c in row.cells] for row in table.rows if row.kind == "published"]
    assert [row[:4] for row in below] == [["—", "—", "unet2d", "all"], ["—", "—", "unet3d", "all"]]
    assert [row[4:9] for row in below] == [["174", "4", "300", "—", "1.2"], ["156", "4", "300", "—", "2"]]


def test_times_of_different_hardware_are_no_contest(board_of):
    records = made_records.quick(patients=2)
    records[0] = replace(records[0], hardware=made_records.hardware("gpu: H200"))
    (table,) = tables(board_of(records), "cost")
    assert not any(row.cells[i].best for row in table.rows for i in range(len(row.cells)))
    assert sorted({cell.text for cell in column(table, "on")}) == ["a", "b"]
    assert "a: cpu: AMD EPYC 9B45, 2 cores; b: gpu: H200" in " ".join(table.caption)


def test_times_of_a_machine_that_others_used_are_no_contest_and_its_memory_is(board_of):
    busy = made_records.hardware("EPYC", contention=made_records.busy(train=True, predict=False))
    (table,) = tables(
        board_of([replace(record, hardware=busy) for record in made_records.quick(patients=2)]), "cost"
    )
    best = {
        column.label for i, column in enumerate(table.columns) if any(row.cells[i].best for row in table.rows)
    }
    assert "host memory" in best
    assert not best & {"training time", "prediction time", "95th percentile of prediction time"}
    assert "EPYC, shared; no time is marked as best" in " ".join(table.caption)


def test_every_dataset_has_its_own_table(board_of):
    made = tables(board_of(made_records.quick(patients=2) + made_records.quick(patients=2, dataset="other")))
    assert [table.title.split(",")[0] for table in made] == [
        "Leaderboard quick on other",
        "Leaderboard quick on phantom",
    ]


def test_a_dataset_without_groups_stands_beside_one_with_groups(board_of, tmp_path):
    """A stranger's dataset on a board of hearts must not take the other tables away."""
    plain = [
        replace(record, cases=tuple(replace(case, group=None) for case in record.cases))
        for record in made_records.quick(patients=2, dataset="plain")
    ]
    board = board_of(made_records.quick(patients=2) + plain)
    (table,) = tables(board, "groups")
    assert table.title.startswith("By group, leaderboard quick on phantom")
    write_leaderboard(tmp_path, board, [])
    assert "Leaderboard quick on plain" in (tmp_path / "leaderboard.md").read_text()
    with pytest.raises(ConfigError, match="have no groups"):
        tables(board_of(plain), "groups")


def test_a_selection_shows_its_rows_with_the_ranks_among_all(board_of):
    board = board_of(made_records.quick())
    second = board.results[1].entry
    (table,) = tables(board, shown={second})
    assert [(row.cells[0].text, row.entry) for row in table.rows] == [("2", second)]
    assert "Showing 1 of 6 entries" in table.caption[-1]
    # A dataset of which nothing was selected takes no room.
    board = board_of(made_records.quick(patients=2) + made_records.quick(patients=2, dataset="other"))
    assert len(tables(board, shown={board.results[0].entry})) == 1


def test_a_plan_without_records_is_a_table(board_of):
    run = RequiredRun("", 0, 0, RunState.WAITING)
    planned = [EntryRuns(Entry("net", "ce", "phantom"), {}, (run,))]
    assert "waiting" in told(board_of([], planned))
    assert tables(board_of([], [])) == []


def test_notes_about_a_dataset_are_in_every_caption(board_of):
    board = board_of(made_records.quick(patients=2))
    (field,) = board.fields
    board = replace(board, fields=(replace(field, notes=("2 records on another split are left out",)),))
    for view in available(board):
        assert "2 records on another split are left out." in tables(board, view)[0].caption


def test_rank_by_two_metrics_is_shown(board_of):
    """Dice ranks the entries 1 2 3 4 5 6, HD the same ones 4 5 6 2 1 3."""
    protocol = made_records.protocol(rank_by=["dice", "hd"])
    (table,) = tables(board_of(made_records.quick(), protocol=protocol))
    assert table.title.endswith("ranked by the mean of the ranks in Dice and HD")
    assert [cell.text for cell in column(table, "mean", "rank")] == [
        "2.50", "3.00", "3.00", "3.50", "4.50", "4.50",
    ]  # fmt: skip


def test_the_summary_says_how_sure_it_is(board_of):
    text = " ".join(told(board_of(made_records.quick(seeds=(0, 1))), width=80).split())
    assert "interval of the rank in 1,000 bootstrap samples of the patients and of each entry's seeds" in text
    assert "not corrected for the number of pairs" in text
    assert "Training noise" not in text
    found = re.search(r"bootstrap rankings: median (\d\.\d\d) \((-?\d\.\d\d) to (\d\.\d\d)\)", text)
    middle, low, high = map(float, found.groups())
    assert low <= middle <= high
    assert "with the ranking by rank-then-aggregate 0.87, by test-then-rank " in text
    assert (
        "Noise floor of 2 seeds, the smallest difference of means larger than seed-to-seed variation: "
        "Dice 0.0044, HD 0.80 mm." in text
    )


def test_the_summary_says_what_its_intervals_do_not_hold(board_of):
    one_seed = " ".join(told(board_of(made_records.quick()), width=80).split())
    assert "Training noise is not in the intervals: there is one seed." in one_seed
    assert "Fewer than 6" not in one_seed
    few = " ".join(told(board_of(made_records.quick(patients=5)), width=80).split())
    assert (
        "Fewer than 6 patients: rank intervals cover all ranks, and means have no confidence intervals."
        in few
    )
    # 30 ordered pairs: 30 / 2^5 = 0.94 at five patients, 0.029 at ten.
    assert (
        "no pair of 6 entries can reach p ≤ 0.05 with 5 patients, corrected by Holm (the least is 0.94)"
        in few
    )
    assert "no pair" not in one_seed


def test_an_entry_of_one_seed_among_several_is_named(board_of):
    made = made_records.record(
        [one for record in made_records.quick()[:1] for one in record.cases], entry=("theirs", "external")
    )
    made = replace(made, spec=with_model(made.spec, external=True))
    records = [*made_records.quick(seeds=(0, 1)), made]
    planned = [made_records.plan(record) for record in records[:-1]]
    text = " ".join(told(board_of(records, planned), width=80).split())
    assert "Intervals of entries with one seed exclude training variance: theirs + external." in text


def test_a_method_that_ties_all_entries_is_said_to(board_of):
    """Five patients are too few for any significant win, so all tie."""
    text = " ".join(told(board_of(made_records.quick(patients=5)), width=80).split())
    assert "by test-then-rank — (ties all entries)." in text
    protocol = made_records.protocol(rank_method="test-then-rank")
    tied = " ".join(told(board_of(made_records.quick(patients=5), protocol=protocol), width=80).split())
    assert "by aggregate-then-rank — (this ranking ties all entries)" in tied


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("rank-then-aggregate", "ranked by the mean of each patient's ranks in Dice"),
        ("test-then-rank", "ranked by significant wins in Dice"),
    ],
)
def test_the_title_says_how_ranks_were_made(board_of, method, words):
    protocol = made_records.protocol(rank_method=method)
    (table,) = tables(board_of(made_records.quick(), protocol=protocol))
    assert table.title.endswith(words)


def test_no_more_decimals_than_the_seeds_support(board_of):
    """Seeds move a mean Dice by a tenth: what follows the first decimal is noise."""
    records = [
        made_records.record([made_records.score(p, value) for p in "ab"], entry=("net", loss), seed=seed)
        for loss, values in (("ce", (0.61, 0.73)), ("dice", (0.71, 0.83)))
        for seed, value in enumerate(values)
    ]
    (table,) = tables(board_of(records))
    assert [cell.text for cell in column(table, "mean", "Dice")] == ["0.8", "0.7"]


def test_what_was_left_out_stands_below_with_the_reason(board_of):
    records = made_records.quick(patients=2)
    apart = [LeftOut(Entry("net", "x", "phantom"), "r1", "another protocol: epochs 2, not 7")]
    board = board_of(records, left_out=apart)
    text = told(board, width=80)
    assert "Left out of leaderboard quick" in text
    assert "another protocol: epochs 2, not 7" in text
    assert len(tables(board, "dice")) == 1
    assert len(tables(board, shown={board.results[0].entry})) == 1


def test_unknown_views_and_absent_metrics_are_one_clear_line(board_of):
    board = board_of(made_records.quick(patients=2), protocol=made_records.protocol(metrics=["dice"]))
    assert available(board) == ["summary", "dice", "clinical", "groups", "cost"]
    with pytest.raises(ConfigError, match=r"no view 'sumary'\. Did you mean 'summary'"):
        tables(board, "sumary")
    with pytest.raises(ConfigError, match="'hd' is not one of its metrics"):
        tables(board, "hausdorff")


def test_comparison_reads_at_80_columns():
    records = made_records.quick()
    compared = compare(records[:1], records[1:2], metrics=["dice", "hd"])
    table = comparison(compared)
    assert [row.cells[1].text for row in table.rows][:5] == ["mean", "mean", "LV ED", "LV ES", "RV ED"]
    first = [cell.text for cell in table.rows[2].cells]
    assert first[:5] == ["Dice", "LV ED", "0.947", "0.957", "+0.010"]
    assert [cell.best for cell in table.rows[2].cells[2:4]] == [False, True]
    text = to_text([table], 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "not corrected for multiple testing" in " ".join(text.split())
    low, high = next(c.ci95 for c in compared.cells if (c.structure, c.phase) == ("LV", "ED"))
    assert first[5] == f"{low:+.3f} to {high:+.3f}"
    assert "better" in first
    assert "Overall, B is better." in " ".join(text.split())


def test_comparison_names_patients_of_one_side():
    a = made_records.record([made_records.score(p, 0.5) for p in "abcdefg"])
    b = made_records.record([made_records.score("a", 0.5)], entry=("net", "x"))
    text = " ".join(to_text([comparison(compare([a], [b]))], 80).split())
    assert "Only in A: b, c, d, e, f and 1 more." in text


def compared(a, b, **other):
    """Of twelve patients with these values, and what differs a little from one to the next."""
    return compare(
        *(
            [
                made_records.record(
                    [made_records.score(f"p{i:02}", own + i * step, **other) for i in range(12)],
                    entry=("net", loss),
                )
            ]
            for loss, own, step in (("a", a, 0.0), ("b", b, 0.0005))
        )
    )


def test_a_row_does_not_refute_its_verdict():
    """0.2 mm against 0.2003 to 0.2058: one decimal would print +0.0, +0.0 to +0.0 and worse."""
    found = compared(0.2, 0.2003, metric="assd")
    row = [cell.text for cell in comparison(found).rows[0].cells]
    low, high = found.overall[0].ci95
    assert row[5] == f"{low:+.4f} to {high:+.4f}"
    assert "+0.0000" not in row[5]
    assert row[2:4] == ["0.2000", "0.2030"] or row[2:4] == ["0.2000", "0.2031"]
    assert row[9] == "worse"


def test_the_verdict_is_not_folded_at_80_columns():
    """`volume-error` beside four-digit intervals once broke `equivalent` in two."""
    records = made_records.quick()
    found = compare(
        records[:1], records[1:2], margins={"dice": 1.0, "hd": 100.0, "hd95": 100.0, "assd": 100.0}
    )
    text = to_text([comparison(found)], 80)
    assert max(map(len, text.splitlines())) <= 80
    rows = [line for line in text.splitlines() if line.rstrip().endswith("equivalent")]
    assert len(rows) == 4 + 4 * 6
    assert "vol. error mL" in text


def test_a_comparison_says_whose_training_noise_is_missing():
    records = made_records.quick(seeds=(0, 1))
    both = " ".join(to_text([comparison(compare(records[:2], records[2:4]))], 80).split())
    assert "bootstrap over patients and over the seeds of both sides" in both
    one = " ".join(to_text([comparison(compare(records[:1], records[2:3]))], 80).split())
    assert "both sides have one seed, so the interval excludes training variance" in one
    other = " ".join(to_text([comparison(compare(records[:2], records[2:3]))], 80).split())
    assert "seeds of A; B has one seed, so the interval excludes its training variance" in other


def test_a_comparison_names_the_terms_that_differ():
    a, b = made_records.quick()[:2]
    other = with_protocol(b.spec, spacing_mm=1.5, split="folds", seeds=(3,))
    b = replace(b, spec=other, keys={"split": "00" * 32, "protocol": "00" * 32})
    text = " ".join(to_text([comparison(compare([a], [b]))], 80).split())
    assert (
        "A and B differ in protocol, split or data: split 5e6f7a8b, not 00000000; spacing_mm 2.0, not 1.5; "
        "split official, not folds."
    ) in text
    assert "differ in protocol" not in " ".join(to_text([comparison(compare([a], [a]))], 80).split())


def test_what_intervals_lack_is_said_wherever_they_stand(board_of):
    one, several = board_of(made_records.quick()), board_of(made_records.quick(seeds=(0, 1)))
    for view in available(one):
        assert "Training noise is not in the intervals: there is one seed." in tables(one, view)[0].caption
        text = " ".join(tables(several, view)[0].caption)
        assert "bootstrap samples of the patients and of each entry's seeds" in text
        assert "Training noise" not in text
    chosen = arrange(tables(one)[0], columns=("Dice mean", "interval of mean Dice"))
    assert "Training noise is not in the intervals: there is one seed." in chosen.caption
    assert "Kendall" not in " ".join(chosen.caption)
    assert "Training noise" not in " ".join(arrange(tables(one)[0], columns=("training time",)).caption)


def test_an_entry_that_lacks_a_seed_is_named(board_of):
    records = made_records.quick(seeds=(0, 1))
    planned = [made_records.plan(record) for record in records]
    planned[1] = made_records.plan(records[1], "waiting")
    text = " ".join(tables(board_of([records[0], *records[2:]], planned))[0].caption)
    assert "with one seed or missing runs exclude training variance: unet2d[base=8] + cross-entropy." in text


def test_counts_are_of_the_metrics_that_are_shown(board_of):
    scores = [
        made_records.score(f"p{i}", 0.9, metric=metric, state=state if i == 0 else "ok")
        for metric, state in (("dice", "ok"), ("hd", "prediction-empty"))
        for i in range(8)
    ]
    (table,) = tables(board_of([made_records.record(scores, entry=("net", "x"))]))
    assert "HD: 1 of 8 scores is a penalty" in " ".join(table.caption)
    text = " ".join(arrange(table, columns=("Dice mean",)).caption)
    assert "Dice: none of 8 scores is a penalty or left out." in text
    assert "HD" not in text
