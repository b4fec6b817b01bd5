"""Beside published figures: what is reached is decided by the digits that were printed."""

from __future__ import annotations

import made_records
import pytest

from harness.errors import ConfigError
from harness.tables.terminal import to_text
from harness.views.against import against, reached
from harness.views.leaderboard_folder import leaderboard_markdown


def hearts(model: str, loss: str, dice: float, hd: float):
    scores = [
        made_records.score(patient, value, phase=phase, structure=structure, metric=metric)
        for patient in ("a", "b")
        for phase in ("ED", "ES")
        for structure in ("LV", "RV", "MYO")
        for metric, value in (("dice", dice), ("hd", hd))
    ]
    return made_records.record(scores, entry=(model, loss), dataset="acdc")


@pytest.mark.parametrize(
    ("ours", "printed", "metric", "expected"),
    [
        (0.9449, "0.95", "dice", False),
        (0.9451, "0.95", "dice", True),
        (0.945, "0.95", "dice", True),
        (13.924, "13.92", "hd", True),
        (13.926, "13.92", "hd", False),
        (5.0, "13.92", "hd", True),
    ],
)
def test_a_cell_is_reached_as_printed(ours: float, printed: str, metric: str, expected: bool) -> None:
    assert reached(ours, printed, metric) is expected


def test_every_cell_is_told_and_counted(board_of, poster) -> None:
    """2D, cross-entropy: Dice 0.95, 0.90, 0.87, 0.76 and two of MYO; 0.88 reaches three of them."""
    board = board_of([hearts("unet2d", "cross-entropy", 0.88, 14.0), hearts("mine", "mine", 1.0, 0.0)])
    dice, hd = against(board, board.fields[0], poster)
    text = to_text([dice], 140)
    for cell in ("0.88<0.95!", "0.88<0.90!", "0.88>0.87", "0.88>0.76"):
        assert cell in text
    theirs = next(r for r in poster.rows if (r.entry.model, r.entry.loss) == ("unet2d", "cross-entropy"))
    cells = [float(text) for (name, _, _), text in theirs.printed.items() if name == "dice"]
    count = sum(cell <= 0.88 for cell in cells)
    assert f"{count} of 6 cells reached" in text
    assert f"{count}/6" in text
    assert "mine" not in text
    assert "14.00>13.92!" in to_text([hd], 140)


def test_the_widest_table_fits_80_columns(board_of, poster) -> None:
    names = [(r.entry.model, r.entry.loss) for r in poster.rows]
    board = board_of([hearts(*name, 0.9, 10.0) for name in names])
    for table in against(board, board.fields[0], poster):
        assert max(map(len, to_text([table], 80).splitlines())) <= 80
        assert sum(row.entry is not None for row in table.rows) == 6


def test_a_variant_stands_for_a_model_that_is_not_there_itself(board_of, poster) -> None:
    board = board_of([hearts("unet2d[base=8]", "log-dice", 0.9, 10.0)])
    dice, _ = against(board, board.fields[0], poster)
    assert "unet2d[base=8]" in to_text([dice], 140)


def test_the_page_of_a_leaderboard_tells_it_too(board_of, poster) -> None:
    page = leaderboard_markdown(board_of([hearts("unet2d[base=8]", "log-dice", 0.9, 10.0)]), [poster])
    dice = page.partition(f"Dice beside {poster.name}")[2]
    assert r"0.90\<0.95!" in dice
    assert f"Hausdorff distance in mm beside {poster.name}" in dice
    strangers = leaderboard_markdown(board_of([hearts("mine", "mine", 0.9, 10.0)]), [poster])
    assert f"beside {poster.name}" not in strangers


def test_without_a_counterpart_it_says_what_there_is(board_of, poster) -> None:
    board = board_of([hearts("mine", "mine", 0.9, 10.0)])
    with pytest.raises(ConfigError, match=r"no entry on acdc .* unet2d \+ log-dice"):
        against(board, board.fields[0], poster)
