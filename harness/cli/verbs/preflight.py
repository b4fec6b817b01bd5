"""``harness preflight``: what one run needs, measured in this process; started by `plan`, not by people.

Reads a `Trial` as a JSON object from standard input and answers with another: a `Footprint`, or a
`FailedTrial` with the failure that a run would end with.
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
    from harness.contract.trial import FailedTrial, Footprint, Trial
    from harness.execute.failure import classify
    from harness.plugins.manager import load
    from harness.probe.preflight import preflight

    trial = Trial.from_json(json.load(sys.stdin))
    load([Path(file) for file in trial.plugin_files])
    answer: Footprint | FailedTrial
    try:
        answer = preflight(trial.spec, trial.channels, trial.deepest)
    except Exception as error:
        _, failure = classify(error, trial.spec, "preflight")
        answer = FailedTrial(failure.message)
    print(json.dumps(answer.as_json()))
    return OK
