"""Batches: which slices a network is shown, and that a resumed run is shown the same."""

import dataclasses

import numpy as np
import pytest
import torch

from harness.data.prepare import Prepared
from harness.train import batches
from harness.train.batches import Resident, epoch_batches, fits, steps_per_epoch

DEPTHS = {"a": 3, "b": 5, "c": 1, "d": 8}


def resident(ids: tuple[str, ...] = ("a", "b", "c", "d")) -> Resident:
    """Every pixel of slice z of case i has the value 100 i + z."""
    values = np.array([100 * i + z for i, depth in enumerate(DEPTHS.values()) for z in range(depth)])
    starts = np.cumsum([0, *DEPTHS.values()])[:-1]
    images = np.broadcast_to(values[:, None, None, None], (len(values), 1, 2, 2)).astype(np.float32)
    labels = (values % 100)[:, None, None].repeat(2, 1).repeat(2, 2).astype(np.uint8)
    prepared = Prepared(tuple(DEPTHS), tuple(starts), tuple(DEPTHS.values()), images, labels)
    return Resident.of(prepared, ids, torch.device("cpu"))


def test_context_slices_repeat_the_edge_of_their_own_case() -> None:
    images, labels = resident().slices(torch.tensor([0, 2, 3, 8]), context=3)
    assert images[:, :, 0, 0].tolist() == [[0, 0, 1], [1, 2, 2], [100, 100, 101], [200, 200, 200]]
    assert labels[:, 0, 0].tolist() == [0, 2, 0, 0]


def test_short_volumes_repeat_their_last_slice_in_image_and_labels() -> None:
    images, labels = resident().volumes(torch.tensor([0, 3]), torch.tensor([0, 2]), depth=5)
    assert images.shape == (2, 1, 5, 2, 2)
    assert images[:, 0, :, 0, 0].tolist() == [[0, 1, 2, 2, 2], [302, 303, 304, 305, 306]]
    assert labels[:, :, 0, 0].tolist() == [[0, 1, 2, 2, 2], [2, 3, 4, 5, 6]]


def test_cases_come_in_the_order_asked_for() -> None:
    assert resident(("d", "a")).images[:, 0, 0, 0].tolist() == [*range(300, 308), 0, 1, 2]


@pytest.mark.parametrize(("dims", "batch", "steps"), [(2, 4, 4), (2, 16, 1), (2, 100, 1), (3, 2, 2)])
def test_an_epoch_shows_each_sample_at_most_once(dims: int, batch: int, steps: int) -> None:
    data = resident()
    assert steps_per_epoch(data, dims, batch) == steps
    shown = list(epoch_batches(data, dims, batch, 1, 4, torch.Generator().manual_seed(1)))
    assert len(shown) == steps
    first = torch.cat([images.flatten(1)[:, 0] for images, _ in shown]).tolist()
    identity = first if dims == 2 else [value // 100 for value in first]
    assert len(set(identity)) == len(identity)


def test_halved_pixels_are_means_and_the_commonest_label() -> None:
    image = [[1.0, 3.0, 0.0, 0.0, 9.0], [5.0, 7.0, 2.0, 2.0, 9.0], [9.0, 9.0, 9.0, 9.0, 9.0]]
    labels = [[1, 1, 2, 3, 1], [2, 0, 3, 2, 1], [1, 1, 1, 1, 1]]
    prepared = Prepared(
        ("a",), (0,), (1,), np.array([[image]], dtype=np.float32), np.array([labels], dtype=np.uint8)
    )
    whole = Resident.of(prepared, ("a",), torch.device("cpu"))
    half = whole.coarser(2, classes=4)
    # The last row and column have no pair.
    assert half.images.tolist() == [[[[4.0, 1.0]]]]
    assert half.labels.tolist() == [[[1, 2]]]
    assert half.labels.dtype == whole.labels.dtype
    assert torch.equal(half.bounds, whole.bounds)


def test_coarser_pixels_are_made_of_all_slices_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resident()
    at_once = whole.coarser(2, classes=9)
    monkeypatch.setattr(batches, "SLICES_AT_ONCE", 3)
    in_parts = whole.coarser(2, classes=9)
    assert torch.equal(in_parts.labels, at_once.labels)
    assert at_once.labels[:, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 0, *range(8)]
    assert at_once.images[:, 0, 0, 0].tolist() == whole.images[:, 0, 0, 0].tolist()


def test_the_same_generator_state_gives_the_same_batches() -> None:
    data = resident()
    a, b = (list(epoch_batches(data, 3, 2, 1, 3, torch.Generator().manual_seed(7))) for _ in range(2))
    assert all(torch.equal(x[0], y[0]) and torch.equal(x[1], y[1]) for x, y in zip(a, b, strict=True))


def test_windows_stay_inside_their_volume() -> None:
    data = resident(("d",))
    starts = set()
    for seed in range(60):
        ((images, _),) = epoch_batches(data, 3, 1, 1, 5, torch.Generator().manual_seed(seed))
        window = images[0, 0, :, 0, 0].tolist()
        assert window == list(range(int(window[0]), int(window[0]) + 5))
        starts.add(window[0])
    assert starts == {300, 301, 302, 303}


def test_data_on_the_device_stays_there_however_the_device_is_named(monkeypatch):
    """Tensors on "cuda" say that they are on "cuda:0", as those on "cpu:0" say "cpu"."""
    data = Resident.of(
        Prepared(("a",), (0,), (2,), np.zeros((2, 1, 4, 4), np.float32), np.zeros((2, 4, 4), np.uint8)),
        ["a"],
        torch.device("cpu", 0),
    )
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pytest.fail("was sent from the host"))
    assert data.case(0)[0].shape == (2, 1, 4, 4)


def test_batches_from_the_host_are_those_from_the_device(monkeypatch):
    """Data that does not fit on a GPU is sent batch by batch, and nothing else changes."""
    images, labels = np.random.default_rng(0).normal(size=(7, 1, 4, 4)), np.arange(7 * 16).reshape(7, 4, 4)
    prepared = Prepared(("a", "b"), (0, 3), (3, 4), images.astype(np.float32), (labels % 3).astype(np.uint8))
    here = Resident.of(prepared, ["b", "a"], torch.device("cpu"))
    # A device that is not where the data lies; the copy itself needs one.
    there = dataclasses.replace(
        Resident.of(prepared, ["b", "a"], torch.device("cuda"), on_host=True), device=torch.device("meta")
    )
    sent = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)

    def send(tensor, *_, **__):
        sent.append(tensor)
        return tensor

    monkeypatch.setattr(torch.Tensor, "to", send)
    for dims, batch in ((2, 3), (3, 1)):
        shown = []
        for one in (here, there):
            batches = epoch_batches(one, dims, batch, 1, 2, torch.Generator().manual_seed(5))
            shown.append([part for pair in batches for part in pair])
        assert all(torch.equal(a, b) for a, b in zip(*shown, strict=True))
    assert sent


def test_data_lives_on_the_device_only_with_room_for_the_network():
    prepared = Prepared(("a",), (0,), (4,), np.zeros((4, 2, 8, 8), np.float32), np.zeros((4, 8, 8), np.uint8))
    size = 4 * 8 * 8 * (2 * 4 + 1)
    assert fits(prepared, ["a"], None)
    assert fits(prepared, ["a"], 2 * size)
    assert not fits(prepared, ["a"], 2 * size - 1)
    # With a copy in pixels of twice the side.
    assert fits(prepared, ["a"], 2 * size * 5 // 4, 2)
    assert not fits(prepared, ["a"], 2 * size * 5 // 4 - 1, 2)
