"""``harness preflight``: measure memory and time of one run in this process; `plan` starts it.

Reads a `Trial` as JSON from standard input and prints a `Footprint`, or a `FailedTrial` with the failure that
a run would have, as JSON.
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
    """No arguments: the trial is on standard input."""


def run(args: argparse.Namespace) -> int:
    """Measure the trial and print the answer."""
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
