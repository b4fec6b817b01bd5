"""Tables on narrow and wide terminals: nothing overflows, no number is cut, what is dropped is named."""

from __future__ import annotations

import io
import re

import made_records
import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.tables.column_layout import fold
from harness.tables.table import Column, Row, Table, TableCell, mark_best
from harness.tables.terminal import to_terminal, to_text
from harness.views.leaderboard_views import VIEWS, tables


def lines_of(board, view, width, **other):
    return to_text(tables(board, view, **other), width).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
@pytest.mark.parametrize("view", sorted(VIEWS))
def test_no_line_is_longer_than_the_terminal(board_of, poster, view, width):
    board = board_of(made_records.quick(dataset="acdc", gpu=True, patients=3))
    lines = lines_of(board, view, width, published=[poster])
    assert max(cell_len(line) for line in lines) <= width
    assert "unet3d[base=8]" in "\n".join(lines) or "unet3d" in "\n".join(lines)


def test_summary_at_80_columns(board_of):
    lines = lines_of(board_of(made_records.quick()), "summary", 80)
    assert re.fullmatch(
        r"1 1–2  A   unet2d\[base=8\]  log-dice +0\.944\* 0\.798\* 0\.871 +0\.871\* \.865–\.878", lines[4]
    )
    assert lines[1].split() == ["────────────────", "Dice", "───────────────"]
    assert lines[2].replace("95 %", "95%").split() == [
        "#", "95%", "gr", "model", "loss", "LV", "RV", "MYO", "mean", "95%",
    ]  # fmt: skip
    text = " ".join(lines)
    assert "Not shown at this width: HD LV, HD RV, HD MYO, HD mean (view hausdorff);" in text
    assert "training time, prediction time, memory, parameters (view cost)." in text


def test_rank_and_mean_have_their_intervals_where_names_are_long(board_of):
    """Structures give way before a rank stands without saying how sure it is."""
    name = "monai-attentionunet2d[base=8]"
    board = board_of(made_records.quick(rename={"unet2d[base=8]": name}))
    lines = lines_of(board, "summary", 80)
    assert lines[2].replace("95 %", "95%").split()[:5] == ["#", "95%", "gr", "model", "loss"]
    assert lines[2].split()[-3:] == ["mean", "95", "%"]
    assert re.match(rf"1 1–2  A   {re.escape(name)}  log-dice  .*0\.871\* 0\.865–0\.878$", lines[4])
    assert "Dice LV, Dice RV, Dice MYO (view dice)" in " ".join(lines)


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("view", sorted(VIEWS))
def test_no_rank_stands_without_its_interval(board_of, view, width):
    lines = lines_of(board_of(made_records.quick()), view, width)
    heads = [line for line in lines if line.startswith("#")]
    assert heads
    assert all(line.startswith("# 95 %") for line in heads)
    assert "95 %: interval of the rank in 1,000 bootstrap samples of the patients" in " ".join(lines)


def test_without_bootstrap_the_summary_has_room_for_training_time(board_of):
    lines = lines_of(board_of(made_records.quick(), resamples=0), "summary", 80)
    assert lines[2].split() == ["#", "model", "loss", "LV", "RV", "MYO", "mean", "mean", "s"]
    assert "bootstrap" not in " ".join(lines)


def test_summary_at_140_columns_drops_nothing(board_of):
    lines = lines_of(board_of(made_records.quick()), "summary", 140)
    assert "Not shown" not in " ".join(lines)
    header = lines[2].replace("95 %", "95%").split()
    assert header[:3] == ["#", "95%", "gr"]
    assert header[5:14] == ["LV", "RV", "MYO", "mean", "95%", "LV", "RV", "MYO", "mean"]
    assert header[14:] == ["s", "ms", "MiB", "k"]
    assert lines[4].split()[-5:] == ["18.5", "18.0", "61*", "804*", "487"]


def test_where_there_is_room_the_mean_has_its_interval(board_of):
    board = board_of(made_records.quick())
    first = lines_of(board, "summary", 160)[4]
    low, high = board.results[0].overall_ci95["dice"]
    assert f" {low:.3f}–{high:.3f} " in first


def test_the_posters_layout_fits_80_columns(board_of, poster):
    records = made_records.quick(
        dataset="acdc", patients=6, rename={"unet2d[base=8]": "unet2d", "unet3d[base=8]": "unet3d"}
    )
    lines = lines_of(board_of(records), "dice", 80, published=[poster])
    assert re.findall(r"[A-Z]+", lines[1]) == ["LV", "RV", "MYO"]
    assert lines[2].split() == ["#", "95", "%", "model", "loss", *["ED", "ES"] * 3]
    printed = [line.split() for line in lines if line.startswith("— —     unet2d  log-dice ")]
    assert printed == [["—", "—", "unet2d", "log-dice", "0.95", "0.90", "0.90", "0.79", "0.86", "0.88"]]
    assert "Not shown at this width: mean, interval of the mean (view summary)." in lines


def test_names_fold_but_numbers_never_do(board_of):
    name = "wide-unet[base=64,depth=5,slices=7]"
    board = board_of(made_records.quick(patients=2, rename={"unet2d[base=8]": name}))
    for width in (60, 80):
        lines = lines_of(board, "summary", width)
        assert all(re.search(r"\d\.\d{3}", line) for line in lines if re.match(r"[1-6]  ", line))
        text = "\n".join(lines)
        assert "wide-unet" in text
        assert "[base=64," in text
        assert "slices=7]" in text


def test_fold_breaks_before_parameters():
    assert fold("unet2d[base=8,slices=3]", 12) == ["unet2d", "[base=8,", "slices=3]"]
    assert fold("unet2d[base=8]", 20) == ["unet2d[base=8]"]
    assert fold("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_many_structures_continue_in_panels(board_of):
    """Nothing may assume a heart: twelve organs in two phases still show every number."""
    organs = {f"organ{i:02d}": i for i in range(1, 13)}
    scores = [
        made_records.score(p, 0.5 + i / 100, structure=s, phase=phase)
        for s, i in organs.items()
        for phase in ("arterial", "venous")
        for p in ("a", "b")
    ]
    record = made_records.record(scores, structures=organs, phases=("arterial", "venous"))
    lines = lines_of(board_of([record]), "dice", 80)
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= 80
    assert all(f" {s} " in text for s in organs)
    assert sum(line.startswith("1 1     unet2d") for line in lines) > 1
    assert all(text.count(f"{0.5 + i / 100:.3f}") == 2 for i in organs.values())


def test_a_dataset_without_phases_has_one_header(board_of):
    record = made_records.record([made_records.score(p, 0.8, phase=None) for p in "abcdef"], phases=())
    lines = lines_of(board_of([record]), "dice", 80)
    assert lines[1].replace("95 %", "95%").split() == [
        "#", "95%", "model", "loss", "LV", "mean", "mean", "95%",
    ]  # fmt: skip


def test_best_is_told_without_colour_and_explained(board_of):
    text = to_text(tables(board_of(made_records.quick())), 100)
    assert "0.944*" in text
    assert "* best ranked." in text
    assert "\x1b" not in text


def test_best_is_bold_where_there_is_colour(board_of):
    file = io.StringIO()
    Console(file=file, width=100, force_terminal=True, color_system="standard").print(
        to_terminal(tables(board_of(made_records.quick())))
    )
    assert re.search(r"\x1b\[1;32m0\.944\*", file.getvalue())


def test_markup_and_escapes_of_a_plugin_stay_text(board_of):
    failure = made_records.failure("[red]boom[/red]\x1b[2J\nsecond line")
    bad = made_records.record(entry=("[bold]net[/bold]", "x"), status="failed", failure=failure)
    text = to_text(tables(board_of([bad])), 100)
    assert "[bold]net[/bold]" in text
    assert "[red]boom[/red][2J second line." in text
    assert "\x1b" not in text


def test_a_terminal_without_unicode_gets_plain_signs():
    table = Table(
        "a · b", (Column("x", "g"), Column("y", "g")), (Row((TableCell("—"), TableCell("1", 1.0))),)
    )
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=file, width=40).print(to_terminal([mark_best(table)]))
    file.flush()
    assert "- " in file.buffer.getvalue().decode("ascii")
