"""The poster's figures as this repository ships them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.board.published import read_published
from harness.errors import DataError

FOLDER = Path(__file__).parents[3] / "leaderboards" / "published" / "patravali2017"


def test_rows_are_those_of_the_csv(poster):
    rows = {(row.entry.model, row.entry.loss): row for row in poster.rows}
    with (FOLDER / "accuracy.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 36
    for line in lines:
        row = rows[line["model"], line["loss"]]
        for column, metric in (("dice", "dice"), ("hausdorff_mm", "hd")):
            assert row.scores[metric][line["structure"]][line["phase"]] == float(line[column])
            assert row.printed[metric, line["structure"], line["phase"]] == line[column]


def test_overall_is_the_mean_of_the_printed_cells(poster):
    """2D, Dice Loss: (0.95 + 0.90 + 0.90 + 0.79 + 0.86 + 0.88) / 6."""
    row = next(r for r in poster.rows if (r.entry.model, r.entry.loss) == ("unet2d", "log-dice"))
    assert row.overall["dice"] == pytest.approx(0.88)


def test_costs_are_the_posters(poster):
    """2.9 hours and 4 GB in training, 0.3 s and 1.2 GB a phase; 2.6 hours, 4 GB, 0.3 s, 2 GB."""
    costs = {row.entry.model: row.cost for row in poster.rows}
    two, three = costs["unet2d"], costs["unet3d"]
    assert (two.train_s, two.gpu_train_mib) == (pytest.approx(2.9 * 3600), 4096)
    assert (two.predict_s_median, two.gpu_predict_mib) == (0.3, pytest.approx(1.2 * 1024))
    assert (three.train_s, three.gpu_predict_mib) == (pytest.approx(2.6 * 3600), 2048)
    assert two.parameters is None


def test_it_is_about_acdc_and_says_by_whom(poster):
    assert poster.dataset == "acdc"
    assert "Patravali" in poster.citation
    assert "1707.09813" in poster.citation


def test_a_folder_without_published_tables_has_none(tmp_path):
    assert read_published(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("published.toml", "title = ", "is damaged"),
        ("published.toml", "title = 'x'", "lacks 'short'"),
        ("accuracy.csv", "model,loss\na,b\n", "lacks 'structure'"),
        ("accuracy.csv", "model,loss,structure,phase,dice\na,b,LV,ED,much\n", "is damaged"),
        ("accuracy.csv", None, "can't be read"),
        ("cost.csv", "model,stage,time,memory_gb\na,training,2 weeks,1\n", "lacks 'weeks'"),
    ],
)
def test_a_broken_table_is_one_clear_line(tmp_path, name, text, message):
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in FOLDER.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_published(tmp_path)
