"""Remedies for a name that nobody knows."""

from harness.errors import nearest


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant() -> None:
    assert nearest("log-dise", ["log-dice", "cross-entropy"]) == "Did you mean 'log-dice'?"


def test_of_many_names_only_the_nearest_few_are_told() -> None:
    """A line that lists 22 entries hides what is wrong."""
    names = [f"monai-net{i} + monai-dice-ce" for i in range(20)] + ["unet2d[base=8] + log-dice"]
    told = nearest("unet2d+log*", names)
    assert told.startswith("21 are known; nearest: unet2d[base=8] + log-dice, ")
    assert told.count("monai") == 4
    assert nearest("x", ["log-dice", "cross-entropy"]) == "Known: cross-entropy, log-dice."
