"""Keys: each covers all that moves its result, so that no run takes another's result for its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from made_specs import run_spec, with_model, with_protocol

from harness.contract.spec import Algorithms, RunSpec
from harness.plan.keys import external_keys, keys

ALL = {"prepare", "train", "score"}
TRAIN = {"train", "score"}
SPEC = run_spec(algorithms=Algorithms(prepare=1, train=2, score=1))


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda spec: replace(spec, algorithms=replace(spec.algorithms, prepare=9)), ALL),
        (lambda spec: replace(spec, algorithms=replace(spec.algorithms, train=9)), TRAIN),
        (lambda spec: replace(spec, algorithms=replace(spec.algorithms, score=9)), {"score"}),
        (lambda spec: replace(spec, manifest_hash="other"), ALL),
        (lambda spec: replace(spec, dataset=replace(spec.dataset, structures={"LV": 1})), ALL),
        (lambda spec: with_protocol(spec, crop=(1, 2)), ALL),
        (lambda spec: with_protocol(spec, normalisation="percentile"), ALL),
        (lambda spec: replace(spec, split_hash="other"), TRAIN | {"split"}),
        (lambda spec: replace(spec, fold=1), TRAIN),
        (lambda spec: replace(spec, seed=1), TRAIN),
        (lambda spec: with_model(spec, name="other"), TRAIN),
        (lambda spec: with_model(spec, version=2), TRAIN),
        (lambda spec: with_model(spec, params={"base": 8}), TRAIN),
        (lambda spec: replace(spec, loss=replace(spec.loss, version=2)), TRAIN),
        (lambda spec: with_protocol(spec, batch=1), TRAIN),
        (lambda spec: with_protocol(spec, largest_component=False), {"score"}),
        (lambda spec: with_protocol(spec, metrics=("dice",)), {"score"}),
        (lambda spec: replace(spec, leaderboard="other"), set()),
        (lambda spec: with_model(spec, label="other", target="other:net"), set()),
    ],
)
def test_a_key_covers_what_moves_its_result_and_nothing_else(
    change: Callable[[RunSpec], RunSpec], moved: set[str]
) -> None:
    """Otherwise a run would take a result of another training, or train again for nothing."""
    before, after = keys(SPEC), keys(change(SPEC))
    assert {name for name in before if before[name] != after[name]} - {"protocol"} == moved


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda spec: with_model(spec, name="other"), TRAIN),
        (lambda spec: replace(spec, manifest_hash="other"), TRAIN),
        (lambda spec: replace(spec, split_hash="other"), TRAIN | {"split"}),
        (lambda spec: replace(spec, fold=1), TRAIN),
        (lambda spec: replace(spec, seed=1), set()),
    ],
)
def test_keys_of_external_predictions_cover_what_is_known_of_them(
    change: Callable[[RunSpec], RunSpec], moved: set[str]
) -> None:
    before, after = external_keys(SPEC), external_keys(change(SPEC))
    assert set(before) == {"train", "score", "split", "protocol"}
    assert {name for name in before if before[name] != after[name]} == moved
