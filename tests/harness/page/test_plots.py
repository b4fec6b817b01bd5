"""Plots say what the records say: every patient, every penalty, and lines where the formulas put them."""

from __future__ import annotations

import statistics
from dataclasses import replace

import made_records
import pytest

from harness.page.plots import every_plot
from harness.page.plots.costs import Point, front
from harness.page.plots.draw import to_vega, write_picture
from harness.page.plots.figure import Plot, PlottedPatient, Series
from harness.page.plots.learning import thinned
from harness.page.plots.scores import scale

HISTORY = made_records.history(3)


def rows(figure, patients):
    return [row for series in figure.series for row in series.rows(patients)]


def plots(board_of, records, **other):
    board = board_of(records, **other)
    patients, figures = every_plot(board, board.fields[0])
    return patients, {figure.key: figure for figure in figures}


def test_every_patient_of_every_entry_is_a_dot_in_every_structure_and_phase(board_of):
    records = made_records.quick(patients=10)
    patients, found = plots(board_of, records)
    assert [p.name for p in patients] == sorted({s.patient for r in records for s in r.cases})
    for structure in ("lv", "rv", "myo"):
        for phase in ("ed", "es"):
            dots = rows(found[f"scores-dice-{structure}-{phase}"], patients)
            told = {(dot["entry"], dot["patient"]): dot["value"] for dot in dots}
            wanted = {
                (r.spec.label, s.patient): s.value
                for r in records
                for s in r.cases
                if (s.metric, s.structure, s.phase) == ("dice", structure.upper(), phase.upper())
            }
            assert len(dots) == len(wanted) == 60
            assert told == {key: pytest.approx(value, rel=1e-4) for key, value in wanted.items()}


def test_a_loss_that_all_have_is_on_no_axis(board_of):
    """It would take the room of what tells the entries apart; the data keep whole names."""
    records = [
        made_records.record([made_records.score(p, 0.9 - i / 10) for p in "ab"], entry=(f"net{i}", "same"))
        for i in range(3)
    ]
    patients, found = plots(board_of, records)
    for key in ("ranks", "scores-dice-lv-ed"):
        assert "length(datum.label) - 7" in str(found[key].spec)
    made = rows(found["tests-dice"], patients)
    assert list(dict.fromkeys(row["row"] for row in made)) == ["1  net0", "2  net1", "3  net2"]
    assert {row["entry"] for row in made} == {"net0 + same", "net1 + same", "net2 + same"}
    _, several = plots(board_of, made_records.quick(patients=2))
    assert "labelExpr" not in str(several["ranks"].spec)


def test_seeds_of_a_patient_are_one_dot_at_their_mean(board_of):
    records = [
        made_records.record([made_records.score("p1", value), made_records.score("p2", 0.5)], seed=seed)
        for seed, value in enumerate((0.8, 0.9))
    ]
    patients, found = plots(board_of, records)
    dots = {dot["patient"]: dot["value"] for dot in rows(found["scores-dice-lv-ed"], patients)}
    assert dots == {"p1": pytest.approx(0.85), "p2": 0.5}


def test_a_penalty_is_marked_and_what_has_no_value_is_no_dot(board_of):
    scores = [
        made_records.score("p1", 0.9),
        made_records.score("p2", 0.0, state="prediction-empty"),
        made_records.score("p3", None, state="both-empty"),
        made_records.score("p4", 0.8),
    ]
    patients, found = plots(board_of, [made_records.record(scores)])
    dots = rows(found["scores-dice-lv-ed"], patients)
    assert [(dot["patient"], dot["state"]) for dot in dots] == [
        ("p1", "ok"),
        ("p2", "prediction-empty"),
        ("p4", "ok"),
    ]
    assert all(dot["group"] == "NOR" for dot in dots)


def test_a_dataset_without_phases_or_clinical_indices_has_the_plots_that_it_can_have(board_of):
    records = [
        made_records.record(
            [
                made_records.score(f"p{i}", 0.5 + i / 10 + lead, phase=None, structure="liver")
                for i in range(4)
            ],
            entry=(model, "log-dice"),
            dataset="organs",
            structures={"liver": 1},
            phases=(),
        )
        for model, lead in (("a", 0.05), ("b", 0.0))
    ]
    _, found = plots(board_of, records)
    assert set(found) == {"ranks", "scores-dice-liver", "tests-dice"}


def test_bland_altman_lines_are_bias_and_limits_of_agreement(board_of):
    """Bland and Altman 1986: the mean difference and 1.96 standard deviations to either side of it."""
    off = [4.0, -2.0, 7.0, 1.0]
    scores = []
    for i, extra in enumerate(off):
        for structure in ("LV", "RV", "MYO"):
            for phase, ml in (("ED", 100.0 + 10 * i), ("ES", 50.0)):
                wrong = extra if (structure, phase) == ("LV", "ED") else 0.0
                for metric, value in (("dice", 0.9), ("volume", ml + wrong), ("volume-error", wrong)):
                    scores.append(
                        made_records.score(f"p{i}", value, structure=structure, phase=phase, metric=metric)
                    )
    patients, found = plots(board_of, [made_records.record(scores)])
    figure = found["agreement-01-unet2d-log-dice-lv-edv-bland-altman"]
    told = rows(figure, patients)
    dots = [(row["reference"], row["measured"]) for row in told if "patient" in row]
    assert dots == [(100 + 10 * i, 100 + 10 * i + extra) for i, extra in enumerate(off)]
    assert [row["bias"] for row in told if "bias" in row] == [2.5]
    spread = 1.96 * statistics.stdev(off)
    assert [row["limit"] for row in told if "limit" in row] == pytest.approx(
        [2.5 - spread, 2.5 + spread], rel=1e-4
    )
    assert figure.note == "Bias +2.5 mL; limits of agreement −5.1 to +10.1 mL (dashed)."


def test_learning_curves_are_the_histories_a_line_a_run(board_of):
    records = made_records.quick(seeds=(0, 1))
    from dataclasses import replace

    patients, found = plots(board_of, [replace(r, history=HISTORY) for r in records])
    points = rows(found["learning-validation-dice"], patients)
    assert len({(p["entry"], p["run"]) for p in points}) == 12
    assert [p["value"] for p in points[:3]] == [0.0, 0.5, 0.6667]
    # Losses of different formulas share no axis.
    of_one = {p["entry"] for p in rows(found["learning-log-dice"], patients)}
    assert of_one == {"unet2d[base=8] + log-dice", "unet3d[base=8] + log-dice"}


def test_a_long_history_keeps_its_ends():
    points = [(float(e), 0.0) for e in range(1, 1001)]
    kept = thinned(points, 100)
    assert (len(kept), len(set(kept)), kept[0], kept[-1]) == (100, 100, points[0], points[-1])
    assert thinned(points[:7], 100) == points[:7]


def test_the_pareto_front_by_hand():
    """Cost and Dice: b is dearer and worse than a; d ties c in Dice and costs more; e is best."""
    points = [
        Point("a", 2, 0.8),
        Point("b", 3, 0.7),
        Point("c", 4, 0.9),
        Point("d", 5, 0.9),
        Point("e", 9, 0.95),
        Point("f", 1, 0.5),
        Point("g", 1, 0.6),
    ]
    assert [p.label for p in front(points, higher=True)] == ["g", "a", "c", "e"]
    distances = [Point("a", 1, 20.0), Point("b", 2, 10.0), Point("c", 3, 15.0)]
    assert [p.label for p in front(distances, higher=False)] == ["a", "b"]


def test_each_hardware_has_a_front_of_its_own_and_published_rows_have_none(board_of, poster):
    """A fast machine makes no network better."""
    records = made_records.quick(dataset="acdc", gpu=True)
    records[0] = replace(records[0], hardware=made_records.hardware("other GPU"))
    board = board_of(records)
    patients, figures = every_plot(board, board.fields[0], [poster])
    figure = next(f for f in figures if f.key == "cost-dice-train-s")
    edges = {row["hardware"] for row in rows(figure, patients) if "edge" in row}
    assert edges == {"NVIDIA H200", "other GPU"}
    published = [row for row in rows(figure, patients) if row["hardware"] == "published"]
    assert len(published) == len(poster.rows)
    assert all(row["front"] == "behind it" for row in published)
    assert "different hardware" in figure.note


def test_times_of_a_machine_that_others_used_say_so_and_its_memory_does_not(board_of):
    busy = made_records.hardware("EPYC", contention=made_records.busy(train=True))
    board = board_of([replace(record, hardware=busy) for record in made_records.quick()])
    notes = {figure.key: figure.note for figure in every_plot(board, board.fields[0])[1]}
    assert "other processes used the machine" in notes["cost-dice-train-s"]
    assert notes["cost-dice-host-mib"] == ""


def test_outliers_do_not_squeeze_the_others_into_a_line():
    good = [0.9 + i / 1000 for i in range(60)]
    assert scale("dice", good)["type"] == "linear"
    assert scale("dice", [0.0, *good])["type"] == "pow"
    assert scale("hd", [5.0 + i / 10 for i in range(60)])["type"] == "linear"
    assert scale("hd", [*(5.0 + i / 10 for i in range(60)), 300.0])["type"] == "sqrt"


def test_only_the_chosen_entries_are_drawn(board_of):
    board = board_of(made_records.quick())
    chosen = [r.entry for r in board.results if r.entry.model.startswith("unet3d")]
    patients, figures = every_plot(board, board.fields[0], (), chosen)
    entries = {row["entry"] for figure in figures for row in rows(figure, patients) if "entry" in row}
    assert entries == {entry.name for entry in chosen}


def test_every_kind_of_figure_is_drawn_the_same_each_time(board_of, tmp_path):
    """Pictures come from the page's own specifications; the same records give the same bytes."""
    from dataclasses import replace

    records = [replace(r, history=HISTORY) for r in made_records.quick(patients=3)]
    patients, found = plots(board_of, records)
    kinds = {figure.part: figure for figure in reversed(found.values())}
    assert set(kinds) == {"scores", "ranks", "tests", "agreement", "learning", "costs"}
    for figure in kinds.values():
        drawn = []
        for folder in (tmp_path / "a", tmp_path / "b"):
            write_picture(folder, figure, patients)
            drawn.append([(folder / f"{figure.key}{suffix}").read_bytes() for suffix in (".svg", ".png")])
        assert drawn[0] == drawn[1]
        svg, png = drawn[0]
        assert png.startswith(b"\x89PNG")
        assert b"unet3d[base=8] + log-dice" in svg or figure.part == "agreement"
        assert to_vega(figure.spec)["marks"]


def test_a_figure_without_any_value_is_empty():
    def figure(values):
        series = Series({"value": values}, by_patient=True)
        return Plot("scores", "x", "X", {}, (series,))

    assert figure([None, None]).empty
    assert not figure([None, 1.0]).empty
    assert list(figure([None, 1.0]).series[0].rows([PlottedPatient("p1"), PlottedPatient("p2", "NOR")])) == [
        {"at": 1, "patient": "p2", "group": "NOR", "value": 1.0}
    ]


def test_plots_of_names_that_differ_only_in_punctuation_are_two(board_of):
    records = [
        made_records.record(
            [made_records.score(f"p{i}", 0.5 + i / 10) for i in range(3)],
            entry=("net", loss),
            history=HISTORY,
        )
        for loss in ("my loss", "my-loss")
    ]
    _, found = plots(board_of, records)
    assert {"learning-my-loss", "learning-my-loss~2"} <= set(found)
