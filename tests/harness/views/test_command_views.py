"""What `plan`, `status`, `time`, `plugins` and `data check` show, in the formats of every table."""

from __future__ import annotations

import pytest

from harness.data.audit import Finding
from harness.store.state import RunState
from harness.store.status import Status
from harness.tables.markdown import to_markdown
from harness.tables.plain import to_csv
from harness.tables.terminal import to_text
from harness.views.audit_findings import audit_table
from harness.views.latency import latency_table
from harness.views.plugin_list import plugin_table
from harness.views.run_status import EACH, status_table


def status(state, seed=0, **more):
    return Status(
        f"run-{seed}", "quick", "unet2d", "log-dice", "phantom", seed, 0, RunState(state), {}, **more
    )


def test_only_so_many_runs_of_a_state_are_listed_and_all_are_counted():
    statuses = [status("queued", seed) for seed in range(EACH + 3)] + [status("done")]
    table = status_table(statuses, every=False)
    assert len(table.rows) == EACH
    assert table.caption == ("3 more queued; --all lists them", f"{EACH + 4} runs: {EACH + 3} queued, 1 done")
    assert len(status_table(statuses, every=True).rows) == EACH + 4


def test_the_reason_of_a_failure_is_folded_at_words_and_the_state_is_a_word():
    message = "forward gave logits of another size than its input had, which no loss can take"
    table = status_table([status("failed", blame="plugin", message=message)], every=False)
    text = to_text([table], 60)
    assert max(map(len, text.splitlines())) <= 60
    assert "✗ failed" in text
    assert "unet2d + log-dice" in text
    assert f"plugin: {message}" in to_markdown(table)


def test_times_are_csv_in_the_unit_of_their_header_and_the_fastest_is_marked():
    seconds = {"slow": (0.5, 0.75), "fast": (0.25, 0.3)}
    table = latency_table(seconds, volumes=3, rounds=2, shared=False)
    head, fast, slow = to_csv(table).splitlines()
    assert head == "entry,median ms,p95 ms,times the fastest"
    assert fast == "fast,250.0,300.0,1.0"
    assert slow == "slow,500.0,750.0,2.0"
    assert "250.0*" in to_text([table], 80)
    assert "*" not in to_text([latency_table(seconds, volumes=3, rounds=2, shared=True)], 80)


@pytest.mark.parametrize(("width", "shown"), [(60, False), (100, True)])
def test_a_narrow_page_has_summaries_rather_than_distributions(width, shown):
    plugin = {
        "name": "a-plugin-with-a-name",
        "kind": "model",
        "summary": "words that say what it is good for and when to use it",
        "version": 1,
        "distribution": "its-distribution",
        "distribution_version": "0.1",
        "state": "ok",
    }
    head, *_ = to_text([plugin_table([plugin])], width).splitlines()[1:]
    assert "summary" in head
    assert ("distribution" in head) is shown


def test_two_columns_of_text_share_the_width():
    finding = Finding("spacing", "warning", "3 cases have another spacing " * 3, "resamples them " * 3)
    text = to_text([audit_table("acdc", [finding])], 70)
    assert max(map(len, text.splitlines())) <= 70
    assert "warning" in text
