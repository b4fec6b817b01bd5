"""Tables in other orders, with other columns, in other formats; the views by group and of the worst cases."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace

import made_records
import pytest
from markdown_it import MarkdownIt

from harness.errors import ConfigError
from harness.tables.arrange import arrange
from harness.tables.latex import escape, to_latex
from harness.tables.plain import to_csv, to_html
from harness.views.leaderboard_views import available, tables
from harness.views.worst import worst


@pytest.fixture
def board(board_of):
    return board_of(made_records.quick(patients=6))


def column(table, title):
    index = [f"{c.group} {c.title}".strip() for c in table.columns].index(title)
    return [row.cells[index] for row in table.rows]


def test_rows_are_sorted_by_any_column_the_best_first(board):
    (table,) = tables(board, "summary")
    by_hd = [cell.value for cell in column(arrange(table, sort="HD mm mean"), "HD mm mean")]
    assert by_hd == sorted(by_hd)
    by_dice = [cell.value for cell in column(arrange(table, sort="dice rv"), "Dice RV")]
    assert by_dice == sorted(by_dice, reverse=True)
    # The rank beside it stays what it was.
    assert {cell.text for cell in column(arrange(table, sort="dice rv"), "#")} == set("123456")


def test_only_some_columns(board):
    (table,) = tables(board, "summary")
    few = arrange(table, columns=["Dice mean", "training time"])
    assert [c.title for c in few.columns][:2] == ["model", "loss"]
    assert len(few.columns) == 4
    assert [len(row.cells) for row in few.rows] == [4] * 6


def test_columns_stand_in_the_order_that_was_asked_for(board):
    (table,) = tables(board, "summary")
    asked = arrange(table, columns=["#", "gr", "model", "Dice mean"])
    assert [c.title for c in asked.columns] == ["#", "gr", "model", "mean"]
    assert [cell.text for cell in asked.rows[0].cells][:3] == ["1", "A", "unet2d[base=8]"]


def test_a_full_heading_is_no_ambiguity(board):
    """The rank's interval is headed by what is also a part of the other's heading."""
    (table,) = tables(board, "summary")
    assert arrange(table, columns=["95 %"]).columns[-1].label == "interval of the rank"
    assert arrange(table, columns=["dice 95 %"]).columns[-1].label == "interval of mean Dice"


def test_intervals_are_sorted_as_numbers(board_of):
    wide = [
        made_records.record(
            [made_records.score(p, 0.9 - place / 100) for p in "abcdef"], entry=("net", str(place))
        )
        for place in range(12)
    ]
    (table,) = tables(board_of(wide), "summary")
    ranks = [cell.limits for cell in column(arrange(table, sort="interval of the rank"), "95 %")]
    assert ranks == sorted(ranks)
    assert ranks[-1] == (12, 12)
    means = [cell.limits for cell in column(arrange(table, sort="interval of mean Dice"), "Dice 95 %")]
    assert means == sorted(means, reverse=True)


def test_captions_about_columns_that_are_gone_go_too(board):
    (table,) = tables(board, "summary")
    text = " ".join(table.caption)
    assert "Hardware" in text
    dice = " ".join(arrange(table, columns=["#", "Dice mean"]).caption)
    assert "* best ranked. Dice: higher is better." in dice
    for gone in ("Hausdorff", "HD", "interval of the rank", "(gr)", "Hardware"):
        assert gone not in dice
    assert "Dice: none of 216 scores" not in text
    assert "Dice: none of 216 scores" in dice
    costs = " ".join(arrange(table, columns=["memory", "95 %"]).caption)
    assert "Hardware" in costs
    assert "interval of the rank" in costs
    assert "scores is a penalty" not in costs
    assert "Protocol 1a2b3c4d" in costs


@pytest.mark.parametrize(("name", "told"), [("Dice LW", "Did you mean 'Dice LV'"), ("LV", "is ambiguous")])
def test_a_wrong_column_is_told(board, name, told):
    (table,) = tables(board, "summary")
    with pytest.raises(ConfigError, match=told):
        arrange(table, sort=name)


def test_latex_is_balanced_and_escaped(board_of):
    records = made_records.quick(patients=6, rename={"unet2d[base=8]": "my_net 50% & more"})
    (table,) = tables(board_of(records), "dice")
    text = to_latex(table)
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    # The names stand in both parts.
    names = sum(column.priority == 0 for column in table.columns)
    assert {line.count(" & ") for line in rows} == {(len(table.columns) + names) // 2 - 1}
    assert r"my\_net 50\% \& more" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 5
    assert len(re.findall(r"\\textbf\{0\.\d{3}\}", text)) >= 6
    assert escape("a → b ± 1 {x}^~") == r"a $\rightarrow$ b $\pm$ 1 \{x\}\textasciicircum{}\textasciitilde{}"


def test_latex_has_what_a_paper_has_room_for(board):
    """No times, no states: a table to be put into a page as it is."""
    (table,) = tables(board, "summary")
    text = to_latex(table)
    header = next(line for line in text.splitlines() if line.startswith(r"\#"))
    assert header == r"\# & 95 \% & gr & model & loss & LV & RV & MYO & mean & 95 \% & mean \\"
    body, _, notes = text.partition(r"\end{tabular}")
    assert r"\centering" in body
    assert r"\label{tab:leaderboard-quick-on-phantom}" in body
    assert "Bold: best ranked. Dice: higher is better" in notes
    assert not any(line.startswith("%") for line in notes.splitlines())
    assert "Hardware" not in notes
    asked = to_latex(arrange(table, columns=["#", "model", "memory"]))
    assert r"\# & model & MiB \\" in asked
    assert "Hardware" in asked


def test_latex_of_a_wide_view_comes_in_parts_that_can_be_read(board_of):
    """Thirty-nine columns on one page would be a line of dust."""
    (table,) = tables(board_of(made_records.quick(patients=3)), "clinical")
    parts = to_latex(table).split(r"\end{table}")[:-1]
    assert len(parts) == 7
    for number, part in enumerate(parts, 1):
        assert f"part {number} of 7}}" in part
        assert rf"-{number}}}" in re.search(r"\\label\{.*", part)[0]
        header = next(line for line in part.splitlines() if line.startswith(r"\#"))
        assert header.endswith(r"model & loss & r & bias & sd & limits & MAE \\")
    assert [r"\begin{minipage}" in part for part in parts] == [False] * 6 + [True]


def test_latex_of_nothing_ranked_has_one_rule_below_its_header(board_of):
    (table,) = tables(board_of(made_records.quick(patients=3)), "dice")
    unranked = replace(table, rows=tuple(replace(row, kind="unranked") for row in table.rows))
    unranked = replace(unranked, sections=(("unranked", "not ranked"),))
    assert r"\midrule" * 2 not in to_latex(unranked).replace("\n", "")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX")
def test_latex_compiles_and_fits_the_page(board_of, tmp_path):
    name = "monai-swinunetr3d[base=12,window=[5, 6, 6]]"
    board = board_of(made_records.quick(patients=3, rename={"unet2d[base=8]": name}))
    made = "\n".join(to_latex(table) for view in available(board) for table in tables(board, view))
    packages = r"\documentclass{article}\usepackage{booktabs,graphicx}"
    (tmp_path / "t.tex").write_text(rf"{packages}\begin{{document}}{made}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout


def test_csv_has_full_precision(board):
    (table,) = tables(board, "dice")
    lines = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert len(lines) == 6
    assert float(lines[0]["mean"]) == board.results[0].overall["dice"]


def test_csv_has_the_units_of_its_header(board_of):
    """61 ms are kept as 0.061 s, 804 MiB and 487,000 parameters as they are."""
    (table,) = tables(board_of(made_records.quick(gpu=True)), "cost")
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    shown = {f"{c.group} {c.title}".strip(): i for i, c in enumerate(table.columns)}
    assert {"prediction time ms", "training GPU GiB", "params k"} <= {*read[0]}
    for line, row in zip(read, table.rows, strict=True):
        for name in ("prediction time ms", "training GPU GiB", "params k"):
            text = row.cells[shown[name]].text
            decimals = len(text.partition(".")[2])
            assert round(float(line[name]), decimals) == float(text)


def test_csv_has_both_ends_of_intervals_and_nothing_where_nothing_is(board_of):
    bad = made_records.record(entry=("wide", "mine"), status="failed", failure=made_records.failure("no"))
    board = board_of([*made_records.quick(), bad])
    (table,) = tables(board, "summary")
    lines = list(csv.DictReader(io.StringIO(to_csv(table))))
    best = board.results[0]
    assert (int(lines[0]["95 % low"]), int(lines[0]["95 % high"])) == best.rank_interval
    limits = (float(lines[0]["Dice 95 % low"]), float(lines[0]["Dice 95 % high"]))
    assert limits == best.overall_ci95["dice"]
    assert {lines[-1][name] for name in lines[-1]} == {"", "wide", "mine", "failed"}
    clinical = list(csv.DictReader(io.StringIO(to_csv(tables(board, "clinical")[0]))))
    assert float(clinical[0]["LV EF % limits low"]) < float(clinical[0]["LV EF % limits high"])


def test_html_escapes_what_plugins_say(board_of):
    records = made_records.quick(patients=2, rename={"unet2d[base=8]": "<script>alert(1)</script>"})
    (table,) = tables(board_of(records), "summary")
    text = to_html(table)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    tokens = MarkdownIt("commonmark").parse(text)
    assert tokens[0].type == "html_block"
    assert text.count("<tr>") == 7


def test_groups_have_the_means_of_their_own_patients(board_of):
    scores = [
        made_records.score("a", 0.9, structure="LV"),
        made_records.score("a", 0.5, structure="RV"),
        replace(made_records.score("b", 0.3, structure="LV"), group="DCM"),
    ]
    (table,) = tables(board_of([made_records.record(scores)]), "groups")
    assert column(table, "Dice NOR")[0].value == pytest.approx(0.7)
    assert column(table, "Dice DCM")[0].value == pytest.approx(0.3)
    assert "DCM 1, NOR 1" in " ".join(table.caption)


def test_the_worst_cases_are_the_lowest_of_all(board):
    table = worst(board, board.fields[0], 5)
    values = [
        score.value
        for result in board.results
        for record in result.records
        for score in record.cases
        if score.metric == "dice"
    ]
    assert [cell.value for cell in column(table, "Dice")] == sorted(values)[:5]
    assert worst(board, board.fields[0], 5, shown=()).rows == ()
    with pytest.raises(ConfigError, match="shows nothing"):
        worst(board, board.fields[0], 0)
