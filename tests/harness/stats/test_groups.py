"""Letters that two entries share exactly where they can't be told apart."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.groups import group_letters, letter, letters_are_exact, share_letter


def matrix(entries, *pairs):
    found = np.zeros((entries, entries), dtype=bool)
    for a, b in pairs:
        found[a, b] = found[b, a] = True
    return found


def test_steps_that_are_each_within_the_noise_make_overlapping_groups():
    """First and last are apart, the one between is apart from neither: A, AB, B."""
    assert group_letters([0, 1, 2], matrix(3, (0, 2))) == ["A", "AB", "B"]
    assert group_letters([2, 1, 0], matrix(3, (0, 2))) == ["A", "AB", "B"]


def test_the_ends_of_no_and_of_every_difference():
    assert group_letters([0, 1], matrix(2)) == ["A", "A"]
    assert group_letters([0, 1], matrix(2, (0, 1))) == ["A", "B"]
    assert group_letters([], matrix(0)) == []
    assert group_letters([0], matrix(1)) == ["A"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.sampled_from(
    list(itertools.combinations(range(n), 2)) or [(0, 0)]
)))))  # fmt: skip
def test_whoever_is_not_apart_shares_a_letter_and_nobody_else(given):
    entries, pairs = given
    pairs = {(a, b) for a, b in pairs if a != b}
    found = group_letters(range(entries), matrix(entries, *pairs))
    assert all(found)
    for a, b in itertools.combinations(range(entries), 2):
        assert share_letter(found[a], found[b]) == ((a, b) not in pairs)


def test_a_chain_of_neighbours_has_a_letter_a_link():
    """Fifty entries, each within the noise of the next two: 48 groups of three, no more."""
    far = [(a, b) for a, b in itertools.combinations(range(50), 2) if b - a > 2]
    found = group_letters(range(50), matrix(50, *far))
    assert found[:4] == ["A", "AB", "ABC", "BCD"]
    assert found[-1] == letter(47)


def test_many_letters_in_a_row_are_written_as_a_range():
    """Twelve entries, each within the noise of the next five."""
    far = [(a, b) for a, b in itertools.combinations(range(12), 2) if b - a > 5]
    found = group_letters(range(12), matrix(12, *far))
    assert found[:6] == ["A", "AB", "ABC", "A–D", "A–E", "A–F"]
    assert found[6:] == ["B–G", "C–G", "D–G", "EFG", "FG", "G"]
    assert share_letter("A–D", "C")
    assert share_letter("C", "A–D")
    assert not share_letter("A–D", "EFG")
    assert share_letter("X–B1", "A1")


def test_hundreds_of_entries_have_groups_at_once_and_who_is_not_apart_shares_one():
    """Noise without any order has more exact groups than could be listed; runs of the ranking hold them."""
    draw = np.random.default_rng(0).random((400, 400))
    apart = np.triu(draw < np.clip(np.abs(np.subtract.outer(range(400), range(400))) / 200, 0, 1), 1)
    apart[0, 1:] = True
    apart |= apart.T
    found = group_letters(range(400), apart)
    assert all(found)
    for a, b in np.argwhere(~apart)[::50]:
        assert share_letter(found[a], found[b])
    assert max(map(len, found)) < 12
    assert not letters_are_exact(range(400), found, apart)


def test_sixty_entries_of_a_scale_have_exact_letters():
    """More than 26 groups, which once were runs in which entries that are apart shared a letter."""
    rng = np.random.default_rng(1)
    means, noise = np.sort(rng.normal(size=60)), rng.uniform(0.1, 0.5, (60, 60))
    apart = np.abs(np.subtract.outer(means, means)) > (noise + noise.T) / 2
    found = group_letters(range(60), apart)
    assert letters_are_exact(range(60), found, apart)
    assert any("1" in one for one in found)


def test_letters_do_not_run_out_nor_into_each_other():
    assert [letter(n) for n in (0, 1, 25, 26, 27, 52)] == ["A", "B", "Z", "A1", "B1", "A2"]
    assert share_letter("YZA1", "A1B1")
    assert not share_letter("A1", "A")
    assert not share_letter("A", "A2")
    assert not share_letter(None, None)
