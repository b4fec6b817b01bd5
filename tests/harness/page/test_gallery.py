"""The gallery: which patients, cut and turned how, outlines of closed forms, harmless SVG."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import made_records
import numpy as np
import pytest
from made_specs import HEART

from harness.board.build import build
from harness.page.gallery import Drawn, Sheet, draw, picture, telling
from harness.page.gallery.outline import outline

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "</svg><script>alert(1)</script>\"'`"


def loops(path):
    """The corners of each closed line in pixels."""
    found = []
    for start, steps in re.findall(r"M(\d+ \d+)l([-+\d]*)z", path):
        x, y = map(int, start.split())
        corners = [(x / 2, y / 2)]
        numbers = [int(one) for one in re.findall(r"[-+]\d+", steps)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            corners.append((x / 2, y / 2))
        found.append(corners)
    return found


def area(corners):
    """Gauss's shoelace formula."""
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 5), (6, 6)])
def test_a_boxs_outline_lies_at_its_edges_and_cuts_its_corners(size):
    mask = np.zeros((10, 12), dtype=bool)
    mask[2 : 2 + size[0], 3 : 3 + size[1]] = True
    (corners,) = loops(outline(mask))
    # Half-way between pixel centres: each of the four corners loses a triangle of 1/8 pixel.
    assert area(corners) == size[0] * size[1] - 0.5
    assert min(x for x, _ in corners) == 3
    assert max(y for _, y in corners) == 2 + size[0]


def test_a_ring_has_two_lines_and_the_border_of_an_image_none_less():
    mask = np.ones((8, 8), dtype=bool)
    mask[3:5, 3:5] = False
    assert sorted(area(one) for one in loops(outline(mask))) == [3.5, 63.5]
    assert outline(np.zeros((4, 4), dtype=bool)) == ""


def sheet(**changes):
    """A heart of three slices whose base lies last in the file."""
    reference = np.zeros((3, 40, 60), dtype=np.uint8)
    for z, size in enumerate((2, 4, 8)):
        reference[z, 20 - size : 20 + size, 30 - size : 30 + size] = 3
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    drawn = (Drawn("unet2d + log-dice", "dice 0.9", reference.copy()), Drawn("other", "", None))
    made = Sheet("gallery-best-ed", "patient001", "ED", image, reference, drawn, (10.0, 1.0, 2.0), HEART)
    return replace(made, **changes)


def test_the_larger_end_comes_first_and_the_surroundings_are_cut_away():
    cut = sheet().cut()
    assert cut.slices == (3, 2, 1)
    assert [int((one == 3).sum()) for one in cut.reference] == [256, 64, 16]
    # 16 pixels and 35 % around them, half on each side, at least 4.
    assert cut.image.shape == cut.reference.shape == cut.drawn[0].labels.shape == (3, 24, 24)
    assert np.array_equal(cut.image[2], sheet().image[0, 8:32, 18:42])
    assert sheet(reference=sheet().reference[::-1]).cut().slices == (1, 2, 3)


def test_what_only_an_entry_drew_is_in_the_picture_too():
    stray = np.zeros((3, 40, 60), dtype=np.uint8)
    stray[0, 1, 1] = 1
    cut = sheet(drawn=(Drawn("a", "", stray),)).cut()
    assert (cut.drawn[0].labels == 1).sum() == 1
    assert cut.image.shape[1:] == (33, 44)


def test_a_deep_volume_is_thinned_evenly_and_an_empty_one_left_whole():
    deep = np.zeros((95, 8, 8), dtype=np.uint8)
    cut = sheet(image=deep.astype(np.float32), reference=deep, drawn=()).cut()
    assert len(cut.slices) == 12
    assert (cut.slices[0], cut.slices[-1]) == (1, 95)
    assert set(np.diff(cut.slices)) <= {8, 9}
    assert cut.image.shape == (12, 8, 8)
    # Of many entries fewer slices: the page is to stay one that can be sent.
    many = tuple(Drawn(str(n), "", deep) for n in range(12))
    assert len(sheet(image=deep.astype(np.float32), reference=deep, drawn=many).cut().slices) == 8


def test_the_svg_has_each_image_once_and_a_row_an_entry():
    root = ElementTree.fromstring(draw(sheet().cut()))
    images = root.findall(f"{SVG}defs/{SVG}image")
    assert [image.get("id") for image in images] == [f"gallery-best-ed-i{n}" for n in range(3)]
    rows = root.findall(f"{SVG}g")
    assert len(rows) == 3 * 4
    uses = [row.find(f"{SVG}use").get("href") for row in rows]
    assert uses == [f"#gallery-best-ed-i{n}" for n in range(3)] * 4
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert texts[:3] == ["slice 3", "2", "1"]
    assert texts[3:] == ["image", "reference", "unet2d + log-dice", "dice 0.9", "other", "not kept"]
    # The pixels are twice as wide as high.
    assert float(images[0].get("width")) == pytest.approx(2 * float(images[0].get("height")), abs=0.1)


def test_the_embedded_image_is_the_slice_in_its_volumes_window():
    from PIL import Image

    cut = sheet().cut()
    image = ElementTree.fromstring(draw(cut)).find(f"{SVG}defs/{SVG}image").get("href")
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2]))))
    low, high = np.percentile(cut.image, (1, 99.5))
    assert grey.shape == cut.image[0].shape
    assert np.abs(low + grey / 252 * (high - low) - np.clip(cut.image[0], low, high)).max() < high / 63
    assert draw(cut) == draw(sheet().cut())


def test_names_are_escaped():
    made = sheet(title=EVIL, structures={EVIL: 3}, drawn=(Drawn(EVIL, EVIL, sheet().reference),)).cut()
    for text in (draw(made), picture(made)):
        assert "<script" not in text
        ElementTree.fromstring(text)


def test_a_picture_of_its_own_shows_image_contours_and_title():
    from PIL import Image

    from harness.page.plots.draw import engine

    png = engine().svg_to_png(picture(sheet().cut()), scale=1)
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3).astype(int)
    assert (pixels == 255).all(axis=1).sum() > 1000  # the ground
    grey = (np.ptp(pixels, axis=1) == 0) & (pixels[:, 0] > 60) & (pixels[:, 0] < 200)
    assert grey.sum() > 5000  # the images
    assert (np.abs(pixels - (255, 107, 107)).sum(axis=1) < 60).sum() > 300  # the third structure


def ranked(values):
    """A board of one entry whose patients have these Dice."""
    records = [made_records.record([made_records.score(name, value) for name, value in values.items()])]
    board = build("quick", made_records.PROTOCOL, "1a" * 32, records, [made_records.plan(records[0])])
    return board, board.fields[0]


def test_the_best_the_median_and_the_worst_tell_the_most():
    told = telling(*ranked({"p1": 0.5, "p2": 0.9, "p3": 0.7, "p4": 0.8, "p5": 0.6}))
    assert [(one.patient, one.which) for one in told] == [("p2", "best"), ("p3", "median"), ("p1", "worst")]
    assert [one.value for one in told] == [0.9, 0.7, 0.5]


def test_fewer_patients_and_equal_ones_are_each_shown_once():
    assert [one.patient for one in telling(*ranked({"p1": 0.5}))] == ["p1"]
    assert [(one.patient, one.which) for one in telling(*ranked({"p2": 0.5, "p1": 0.5}))] == [
        ("p1", "best"),
        ("p2", "median"),
    ]
