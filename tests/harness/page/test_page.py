"""The page: complete in one file, harmless whatever a plugin calls itself, the same bytes each time."""

from __future__ import annotations

import json
import random
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import made_records
import numpy as np
import pytest
from made_specs import HEART, with_model

from harness.contract.record import Environment, Epoch, PluginProvenance
from harness.errors import ConfigError
from harness.page import page
from harness.page.embed import embedded_json, embedded_script
from harness.page.gallery import Drawn, Gallery, Sheet

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${1}<!--"


class Parsed(HTMLParser):
    """Elements with attributes, the text of scripts, and all other text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data)

    @property
    def data(self):
        return json.loads(self.scripts[0])


@pytest.fixture(scope="module")
def evil():
    """A board on which everything that a plugin or a file may name is hostile."""
    from harness.board.build import build

    records = []
    for model, lead in ((EVIL, 0.05), ("unet2d", 0.0)):
        scores = [
            replace(one, patient=f"{EVIL}{one.patient}", group=EVIL, structure=EVIL, phase=EVIL)
            for one in (made_records.score(f"p{i}", 0.5 + i / 10 + lead) for i in range(4))
        ]
        records.append(
            made_records.record(
                scores,
                entry=(model, EVIL),
                dataset=EVIL,
                structures={EVIL: 1},
                phases=(EVIL,),
                hardware=made_records.hardware(EVIL, cpu=EVIL),
                environment=Environment("0", None, "3", EVIL, None, "Linux", "cpu", "fp32", 1, "AVX2"),
                plugins={"model": PluginProvenance(EVIL, 1, EVIL, "")},
                time_s={"train": 3.0},
                history=(Epoch(1, 2.0, 0.5),),
            )
        )
    failed = made_records.record(entry=("broken", "x"), dataset=EVIL, status="failed")
    planned = [*map(made_records.plan, records), made_records.plan(failed, "failed", f"raised {EVIL}")]
    protocol = made_records.protocol(class_weights={EVIL: 1.0})
    board = build(EVIL, protocol, "1a2b3c4d" * 8, records, planned)
    return Parsed(page(board))


def test_nothing_that_a_plugin_is_called_becomes_markup(evil: Parsed) -> None:
    tags = [tag for tag, _ in evil.elements]
    assert tags.count("script") == 3
    assert not {"img", "iframe", "object", "link"} & set(tags)
    assert not [name for _, attrs in evil.elements for name in attrs if name.startswith("on")]


def test_names_arrive_unharmed_in_the_data_of_the_plots(evil: Parsed) -> None:
    assert f"{EVIL} + {EVIL}" in {one["same"].get("entry") for one in evil.data["series"]}
    assert evil.data["patients"][0][0]["patient"] == f"{EVIL}p0"
    assert "<" not in evil.scripts[0]


def test_what_failed_stays_on_the_page_with_its_state_and_reason(evil: Parsed) -> None:
    text = " ".join(evil.texts)
    assert "failed" in text
    assert f"raised {EVIL}" in text


def test_json_in_a_script_can_not_end_it() -> None:
    value = {"a": ["</script>", "<!--", "]]>", "\u2028", "&amp;"]}
    text = embedded_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028") & set(text)
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded_json(float("nan"))


def test_a_librarys_script_can_not_end_its_element() -> None:
    assert embedded_script('a("</script><!--")') == 'a("<\\/script><\\!--")'


@pytest.fixture(scope="module")
def ordinary(poster):
    from harness.board.build import build

    records = made_records.quick(dataset="acdc")
    planned = [made_records.plan(record) for record in records]
    board = build("quick", made_records.PROTOCOL, "1a2b3c4d" * 8, records, planned)
    return board, page(board, [poster])


def test_the_page_asks_nothing_of_the_network(ordinary) -> None:
    _, text = ordinary
    parsed = Parsed(text)
    links = [
        v for _, attrs in parsed.elements for k, v in attrs.items() if k in ("src", "href", "action", "data")
    ]
    assert links
    assert all(link.startswith("#") for link in links)
    (policy,) = [a["content"] for t, a in parsed.elements if t == "meta" and "http-equiv" in a]
    assert "default-src 'none'" in policy
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style
    assert not re.search(r"@import|url\(", style[1])


def test_links_inside_the_page_lead_somewhere_and_no_id_is_used_twice(ordinary) -> None:
    parsed = Parsed(ordinary[1])
    ids = [attrs["id"] for _, attrs in parsed.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [a["href"][1:] for t, a in parsed.elements if t == "a"]
    wanted += [
        v for _, a in parsed.elements for k, v in a.items() if k in ("aria-labelledby", "data-filters")
    ]
    assert set(wanted) <= set(ids)


def test_each_plot_on_the_page_has_its_data(ordinary) -> None:
    parsed = Parsed(ordinary[1])
    figures = [attrs["data-plot"] for tag, attrs in parsed.elements if tag == "figure"]
    assert sorted(figures) == sorted(parsed.data["plots"])
    assert {plot["spec"] for plot in parsed.data["plots"].values()} == set(range(len(parsed.data["specs"])))
    # Vega's own form: nothing has to be compiled in the page.
    assert all("vega/v6" in spec["$schema"] for spec in parsed.data["specs"])


def test_intervals_groups_states_and_published_rows_stand_in_the_ranking(ordinary) -> None:
    board, text = ordinary
    shown = " ".join(Parsed(text).texts)
    first = board.results[0]
    low, high = first.overall_ci95["dice"]
    assert f"{low:.3f}–{high:.3f}" in shown
    assert all(result.entry.model in shown and result.entry.loss in shown for result in board.results)
    assert "published by its authors, not ranked: Patravali et al. 2017" in shown


def test_a_gallery_has_its_place_or_says_why_there_are_no_images(ordinary) -> None:
    board, without = ordinary
    assert 'id="d0-gallery"' not in without
    told = page(board, galleries={"acdc": Gallery(note=f"none {EVIL}")})
    assert 'id="d0-gallery"' in told
    assert any(f"none {EVIL}" in text for text in Parsed(told).texts)
    assert not any(name == "img" for name, _ in Parsed(told).elements)


def test_equal_records_give_equal_bytes_in_whatever_order_they_are_read(board_of) -> None:
    records = made_records.quick(patients=4, seeds=(0, 1))
    planned = [made_records.plan(record) for record in records]
    shuffled = records.copy()
    random.Random(0).shuffle(shuffled)
    assert page(board_of(records, planned)) == page(board_of(shuffled, planned))


def test_two_datasets_have_a_section_each(board_of) -> None:
    records = made_records.quick(patients=3) + made_records.quick(patients=3, dataset="acdc")
    parsed = Parsed(page(board_of(records)))
    ids = {attrs["id"] for _, attrs in parsed.elements if "id" in attrs}
    assert {"d0-scores", "d1-scores", "d0-summary", "d1-summary"} <= ids


def test_twenty_entries_of_150_patients_stay_under_five_megabytes(board_of) -> None:
    some = made_records.quick(patients=150)[:2]
    some = [replace(r, history=made_records.history(399)) for r in some]
    renamed = [
        replace(
            r,
            run_id=f"{i}{r.run_id}",
            spec=with_model(r.spec, label=f"a-long-name[{i}]"),
        )
        for i in range(10)
        for r in some
    ]
    board = board_of(renamed, resamples=20)
    assert len([r for r in board.results if r.rank]) == 20
    sheets = tuple(
        noisy_sheet(f"gallery-{which}-{phase.lower()}", phase)
        for which in ("best", "median", "worst")
        for phase in ("ED", "ES")
    )
    text = page(board, galleries={"phantom": Gallery(sheets)})
    assert text.count('class="sheet"') == 6
    assert len(text.encode()) < 5_000_000


def noisy_sheet(key: str, phase: str) -> Sheet:
    """A case of ACDC's size, 20 slices, drawn by as many entries as a gallery has, with frayed outlines."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :216]

    def heart() -> np.ndarray:
        slices = []
        for radius in np.linspace(10, 28, 20):
            frayed = np.kron(rng.normal(0, 1.2, (64, 54)), np.ones((4, 4)))
            r = np.hypot(y - 128, x - 108) + frayed
            beside = np.hypot((y - 128) / 1.2, x - 108 - 1.6 * radius) + frayed
            slices.append(np.select([r < radius, r < 1.35 * radius, beside < radius], [3, 2, 1], 0))
        return np.stack(slices).astype(np.uint8)

    drawn = tuple(Drawn(f"a-long-name[{i}]", "Dice 0.912", heart()) for i in range(12))
    image = rng.normal(0, 1, (20, 256, 216)).astype(np.float32)
    return Sheet(key, "patient", phase, image, heart(), drawn, (10.0, 1.5, 1.5), HEART).cut()


def test_what_is_not_installed_is_told_with_a_remedy(ordinary, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(
        ConfigError, match=r"vl_convert, which is not installed.*pip install 'cardiac-harness\[report\]'"
    ):
        page(ordinary[0])
