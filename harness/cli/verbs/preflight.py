"""``harness preflight``: what one run needs, measured in this process; started by `plan`, not by people.

Reads a JSON object (spec, channels, deepest, plugin_files) from standard input and answers with
one: the figures of `Need`, or the ``failure`` that a run would end with.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.errors import OK

NAME = "preflight"
SUMMARY = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the question is on standard input."""


def run(args: argparse.Namespace) -> int:
    """Measure and answer."""
    from harness.execute.failure import classify
    from harness.plugins.manager import load
    from harness.probe.preflight import preflight

    question = json.load(sys.stdin)
    load([Path(file) for file in question["plugin_files"]])
    try:
        need = preflight(question["spec"], question["channels"], question["deepest"])
    except Exception as error:
        _, failure = classify(error, question["spec"], "preflight")
        print(json.dumps({"failure": failure["message"]}))
    else:
        print(json.dumps(need.as_json()))
    return OK
