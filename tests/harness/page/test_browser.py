"""The page in a real browser: it sorts, filters, lights up, works by keyboard, goes dark, prints."""

from __future__ import annotations

from dataclasses import replace

import made_records
import numpy as np
import pytest
from browser import chromium, opened
from made_specs import HEART

from harness.page import page
from harness.page.gallery import Drawn, Gallery, Sheet

HOSTILE = "</script><img src=x onerror=alert(1)>"
DRAWN = "figure[data-plot]:not([hidden]) .plot.drawn svg"


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def file(tmp_path_factory, poster):
    from harness.board.build import build

    history = made_records.history(3)
    records = [
        replace(record, history=history)
        for record in made_records.quick(dataset="acdc", rename={"unet3d[base=8]": HOSTILE})
    ]
    planned = [made_records.plan(record) for record in records]
    board = build("quick", made_records.PROTOCOL, "1a2b3c4d" * 8, records, planned)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(board, [poster], None, {"acdc": Gallery(pictures())}), encoding="utf-8")
    return path


def pictures():
    """A heart in two phases, as one entry drew it."""
    labels = np.zeros((4, 32, 32), dtype=np.uint8)
    labels[:, 8:24, 8:24] = 2
    labels[:, 11:21, 11:21] = 3
    image = labels.astype(np.float32)
    return tuple(
        Sheet(
            f"gallery-best-{phase.lower()}",
            f"patient001 {HOSTILE}",
            phase,
            image,
            labels,
            (Drawn(HOSTILE, "dice 1", labels),),
            (8.0, 1.5, 1.5),
            HEART,
        ).cut()
        for phase in ("ED", "ES")
    )


@pytest.fixture
def shown(browser, file):
    with opened(browser, file, viewport={"width": 1400, "height": 1000}, color_scheme="light") as one:
        yield one


def column(page, name, kind="ranked"):
    """The texts of a column of the ranking, by the title of its button."""
    at = page.locator("#d0-summary thead tr:last-child th").evaluate_all(
        "(all, name) => all.findIndex((th) => th.querySelector('button').title === `sort by ${name}`)", name
    )
    assert at >= 0, name
    cells = page.locator(f"#d0-summary tbody.{kind} tr:not(.section):visible td:nth-child({at + 1})")
    return [text.rstrip("*") for text in cells.all_inner_texts()]


def scroll_through(page):
    """Plots are drawn when they come near."""
    page.evaluate(
        """async () => {
          for (const figure of document.querySelectorAll('figure[data-plot]:not([hidden])')) {
            figure.scrollIntoView();
            await new Promise((done) => setTimeout(done, 30));
          }
        }"""
    )
    page.wait_for_function(
        "() => document.querySelectorAll('figure[data-plot]:not([hidden]) .plot:not(.drawn)').length === 0"
    )


def test_everything_is_drawn_without_an_error(shown):
    """`opened` fails on anything that the console, a dialog or the network says."""
    scroll_through(shown)
    assert shown.locator(DRAWN).count() == shown.locator("figure[data-plot]:not([hidden])").count() > 20
    assert shown.locator("img").count() == 0
    # 6 entries of 10 patients.
    assert dots(shown, "d0-scores-dice-lv-ed").count() == 60


def dots(page, key):
    """The dots of a plot; none is of a lit patient."""
    return page.locator(f'figure[data-plot="{key}"] svg .layer_1_marks path')


def lit(page, key):
    return page.locator(f'figure[data-plot="{key}"] svg .layer_3_marks path')


def test_a_click_sorts_the_best_first_and_another_turns_round(shown):
    before = column(shown, "Dice mean")
    published = column(shown, "Dice mean", "published")
    shown.get_by_role("button", name="mean").first.click()
    assert column(shown, "Dice mean") == sorted(before, reverse=True)
    head = shown.locator("#d0-summary th[aria-sort]")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(shown, "Dice mean", "published") == sorted(published, reverse=True)
    shown.get_by_role("button", name="mean").first.click()
    assert column(shown, "Dice mean") == sorted(before)
    assert head.get_attribute("aria-sort") == "ascending"
    shown.locator('#d0-summary button[title="sort by training time"]').click()
    times = [float(text) for text in column(shown, "training time")]
    assert times == sorted(times)
    assert head.count() == 1


def test_the_keyboard_reaches_and_does_all_of_it(shown):
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.textContent") == "Skip to the ranking"
    for _ in range(40):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.title") == "sort by Dice LV":
            break
    shown.keyboard.press("Enter")
    assert shown.locator("#d0-summary th[aria-sort]").get_attribute("aria-sort") == "descending"
    shown.keyboard.press("Space")
    assert shown.locator("#d0-summary th[aria-sort]").get_attribute("aria-sort") == "ascending"
    outline = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    shown.locator("#about-details summary").focus()
    shown.keyboard.press("Enter")
    assert shown.locator("#about-details pre").is_visible()
    scroll_through(shown)
    shown.locator("#patient").focus()
    shown.keyboard.press("ArrowDown")
    assert lit(shown, "d0-scores-dice-lv-ed").count() == 6
    shown.keyboard.press("Escape")
    assert lit(shown, "d0-scores-dice-lv-ed").count() == 0
    assert shown.locator("#patient").input_value() == ""


def test_words_filter_the_entries_and_say_how_many_are_left(shown):
    box = shown.get_by_label("Filter entries")
    box.fill("unet2d LOG-dice-ce")
    assert column(shown, "loss") == ["log-dice-ce"]
    assert shown.locator(".tools output").first.inner_text() == "2 of 12 rows"
    assert column(shown, "loss", "published") == ["log-dice-ce"]
    box.fill("no such net")
    assert column(shown, "loss") == []
    assert shown.locator("#d0-summary tr.section:visible").count() == 0
    box.fill("")
    assert len(column(shown, "loss")) == 6


def test_pointing_at_a_patient_lights_it_up_in_every_plot_and_a_click_keeps_it(shown):
    scroll_through(shown)
    key = "d0-scores-dice-lv-ed"
    dot = dots(shown, key).nth(3)
    dot.scroll_into_view_if_needed()
    dot.hover(force=True)
    tip = shown.locator("#tip")
    assert tip.is_visible()
    patient = tip.locator("div span:nth-child(2)").first.inner_text()
    assert patient.startswith("patient")
    keys = shown.locator('figure[data-plot^="d0-scores-dice"]').evaluate_all(
        "all => all.map(f => f.dataset.plot)"
    )
    assert len(keys) == 6
    assert [lit(shown, one).count() for one in keys] == [6] * 6
    assert [
        lit(shown, f"d0-agreement-01-unet2d-base=8-log-dice-lv-ef-{kind}").count()
        for kind in ("correlation",)
    ] == [0]
    clinical = shown.locator('figure[data-plot$="lv-ef-correlation"]:not([hidden]) svg .layer_2_marks path')
    assert clinical.count() == 1
    shown.mouse.move(2, 2)
    assert not tip.is_visible()
    assert lit(shown, key).count() == 0
    dot.click(force=True)
    shown.mouse.move(2, 2)
    assert shown.locator("#patient").input_value() == patient
    assert lit(shown, key).count() == 6


def test_another_metric_and_another_entry_can_be_chosen(shown):
    metric = shown.locator('select[data-chooses="d0-scores-figures"]')
    assert metric.locator("option").all_inner_texts()[:2] == ["Dice", "HD"]
    metric.select_option("HD")
    shown.wait_for_selector('figure[data-plot="d0-scores-hd-lv-ed"] .plot.drawn svg')
    assert shown.locator('figure[data-plot="d0-scores-dice-lv-ed"]').is_hidden()
    entry = shown.locator('select[data-chooses="d0-agreement-figures"]')
    entry.scroll_into_view_if_needed()
    names = entry.locator("option").all_inner_texts()
    assert len(names) == 6
    assert any(HOSTILE in name for name in names)
    entry.select_option(names[-1])
    visible = shown.locator("#d0-agreement-figures figure:visible")
    assert visible.count() == 14
    assert "agreement-06" in visible.first.get_attribute("data-plot")


def test_the_gallery_opens_and_its_contours_can_be_switched(shown):
    shown.get_by_role("link", name="Gallery").click()
    phase = shown.locator('select[data-chooses="d0-gallery-figures"]')
    assert phase.locator("option").all_inner_texts() == ["ED", "ES"]
    figure = shown.locator(".gallery figure:visible")
    assert figure.count() == 1
    assert figure.locator("svg image").first.evaluate("one => one.getBBox().width") > 50
    lv, myo = (figure.locator(f".contour.s{n}:visible") for n in (2, 1))
    # 4 slices of the entry; the reference's row repeats what is defined once and itself not visible.
    assert (lv.count(), myo.count()) == (4, 4)
    shown.get_by_label("LV", exact=True).press("Space")
    assert (lv.count(), myo.count()) == (0, 4)
    hidden = figure.locator("defs .contour.s2").evaluate_all("all => all.map((one) => one.style.display)")
    assert hidden == ["none"] * 4
    shown.get_by_label("LV", exact=True).check()
    under = figure.locator(".under:visible")
    assert under.count() == 0
    shown.get_by_label("reference below").check()
    assert under.count() == 4
    phase.select_option("ES")
    assert figure.count() == 1
    assert figure.locator("image").first.get_attribute("id") == "d0-gallery-best-es-i0"


def test_the_dark_is_dark_and_print_is_not(shown):
    scroll_through(shown)
    look = """() => {
      const dot = document.querySelector('figure[data-plot="d0-scores-dice-lv-ed"] svg .layer_1_marks path');
      return [getComputedStyle(document.body).backgroundColor, dot.getAttribute('fill'),
        document.querySelector('figure[data-plot="d0-ranks"] svg text').getAttribute('fill')];
    }"""
    light = shown.evaluate(look)
    shown.emulate_media(color_scheme="dark")
    # A busy machine takes its time.
    shown.wait_for_function(f"before => String(({look})()[2]) !== before", arg=light[2])
    dark = shown.evaluate(look)
    assert all(a != b for a, b in zip(light, dark, strict=True))
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.evaluate(look) == light
    shown.evaluate("dispatchEvent(new Event('afterprint'))")
    assert shown.evaluate(look) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser, file, scheme):
    """At least 4.5 to 1, as WCAG 2.2 (1.4.3) asks of text."""
    with opened(browser, file, color_scheme=scheme) as one:
        values = one.evaluate(
            """() => {
              const style = getComputedStyle(document.documentElement);
              return Object.fromEntries(['paper', 'panel', 'ink', 'dim', 'link', 'mark'].map(
                (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
            }"""
        )

    def luminance(colour):
        digits = colour.lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
            for v in (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for text in ("ink", "dim", "link"):
        for ground in ("paper", "mark"):
            low, high = sorted((luminance(values[text]), luminance(values[ground])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def places(page, selector):
    """Left and top of what is visible."""
    return [
        (round(one["x"]), round(one["y"]))
        for one in page.locator(selector).evaluate_all(
            "all => all.filter((one) => one.offsetParent).map((one) => one.getBoundingClientRect().toJSON())"
        )
    ]


@pytest.mark.parametrize("width", [1280, 1440, 800])
def test_a_correlation_stands_beside_its_bland_altman(browser, file, width):
    with opened(browser, file, viewport={"width": width, "height": 1000}) as one:
        scroll_through(one)
        found = places(one, ".agreement figure")
        assert len(found) == 14
        for (left, top), (right, beside) in zip(found[::2], found[1::2], strict=True):
            assert (top, left < right) == (beside, True)
        assert one.evaluate("document.documentElement.scrollWidth") <= width


def test_1280_pixels_are_used_and_enough(browser, file):
    """Scores stand two by two, and of the ranking nothing is cut off without a mark."""
    with opened(browser, file, viewport={"width": 1280, "height": 1000}) as one:
        scroll_through(one)
        found = places(one, ".scores figure")
        assert all(a[1] == b[1] for a, b in zip(found[::2], found[1::2], strict=True))
        box = one.locator("#d0-summary").evaluate(
            "table => [table.parentElement.scrollWidth, table.parentElement.clientWidth]"
        )
        ground = one.locator(".wide").first.evaluate("one => getComputedStyle(one).backgroundImage")
        assert box[0] <= box[1] or "gradient" in ground


def test_rows_of_the_significance_matrix_start_with_their_numbers(browser, file):
    """A long name is cut at its end, and the columns are known by numbers alone."""
    with opened(browser, file, viewport={"width": 1280, "height": 1000}) as one:
        scroll_through(one)
        texts = one.locator('figure[data-plot="d0-tests-dice"] svg text').all_text_contents()
        rows = [text for text in texts if "unet2d" in text or "img" in text]
        assert [text.split()[0] for text in rows] == ["1", "2", "3", "4", "5", "6"]


def test_a_narrow_window_scrolls_tables_and_not_the_page(browser, file):
    with opened(browser, file, viewport={"width": 480, "height": 900}) as one:
        scroll_through(one)
        assert one.evaluate("document.documentElement.scrollWidth") <= 480


def test_it_prints_with_all_plots_though_none_was_looked_at(shown, tmp_path):
    printed = shown.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert shown.locator(DRAWN).count() == shown.locator("figure[data-plot]:not([hidden])").count()
