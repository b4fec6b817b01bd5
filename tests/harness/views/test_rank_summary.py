"""After a run, a sentence says where the new entry stands and against whom."""

from __future__ import annotations

from typing import Any

import made_records
from made_records import record, score

from harness.board.board import Entry
from harness.views.rank_summary import rank_sentences

DICE = {"first": 0.9, "second": 0.8, "third": 0.7}
PATIENTS = [f"p{number}" for number in range(12)]


def made(dice: dict[str, float], fold: int = 0) -> list[Any]:
    return [
        record(
            [
                score(p, value + 0.002 * i, phase=phase)
                for i, p in enumerate(PATIENTS)
                for phase in ("ED", "ES")
            ],
            entry=(name, "log-dice"),
            fold=fold,
        )
        for name, value in dice.items()
    ]


def of(*names: str) -> set[Entry]:
    return {Entry(name, "log-dice", "phantom") for name in names}


def test_between_two_it_names_both_with_their_figures(board_of: Any) -> None:
    (line,) = rank_sentences(board_of(made(DICE)), of("second"))
    # 12 patients, of which each adds 0.002 to the one before: 0.011 above the first on average.
    assert line == (
        "second + log-dice ranks 2 of 3 (95 %: 2) with Dice 0.811, "
        "behind first + log-dice (0.911), ahead of third + log-dice (0.711)."
    )


def test_at_the_ends_there_is_one_neighbour(board_of: Any) -> None:
    board = board_of(made(DICE))
    assert "behind" not in rank_sentences(board, of("first"))[0]
    assert "ahead" not in rank_sentences(board, of("third"))[0]


def test_equal_means_are_level(board_of: Any) -> None:
    (line,) = rank_sentences(board_of(made({"first": 0.9, "twin": 0.9})), of("twin"))
    assert "ranks 1 of 2" in line
    assert "level with first + log-dice (0.911)" in line


def test_what_chance_among_patients_may_turn_round_is_said(board_of: Any) -> None:
    """Better in half of the patients, worse in the other half by a hair more."""
    rival = record(
        [
            score(p, 0.9 + 0.002 * i + (0.05 if i % 2 else -0.052), phase=phase)
            for i, p in enumerate(PATIENTS)
            for phase in ("ED", "ES")
        ],
        entry=("rival", "log-dice"),
    )
    (line,) = rank_sentences(board_of([*made({"first": 0.9}), rival]), of("rival"))
    assert line.endswith("It is not significantly different from first + log-dice.")


def test_one_letter_in_common_is_enough(board_of: Any) -> None:
    """A, AB, B: the last can be told from the first, not from the one between."""
    from dataclasses import replace

    board = board_of(made(DICE))
    letters = dict(zip(DICE, ("A", "AB", "B"), strict=True))
    results = tuple(replace(one, group=letters[one.entry.model]) for one in board.results)
    board = replace(board, results=results)
    assert rank_sentences(board, of("third"))[0].endswith(
        "It is not significantly different from second + log-dice."
    )
    assert rank_sentences(board, of("second"))[0].endswith(
        "It is not significantly different from first + log-dice."
    )


def test_an_entry_that_lacks_runs_says_so(board_of: Any) -> None:
    *records, missing = [*made(DICE), *made({"first": 0.9, "third": 0.7, "second": 0.8}, fold=1)]
    planned = [*map(made_records.plan, records), made_records.plan(missing, "waiting")]
    (line,) = rank_sentences(board_of(records, planned), of("second"))
    assert line == "second + log-dice is not ranked yet: 1 of 2 runs are done."


def test_where_all_are_new_the_table_says_it(board_of: Any) -> None:
    assert rank_sentences(board_of(made(DICE)), of(*DICE)) == []
    assert rank_sentences(board_of(made(DICE)), of()) == []
