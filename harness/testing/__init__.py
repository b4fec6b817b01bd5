"""The contract suite: checks of what a model, a loss or a dataset must do to be ranked fairly.

In a plugin's own tests:

>>> import my_model
>>> from harness.testing import parametrize_with_checks
>>> @parametrize_with_checks(my_model)
... def test_contract(check):
...     check()

Importing this does not import torch; a check imports what it needs when it is run.
"""

from harness.testing.check import Check, CheckFailed, CheckSkipped, Outcome
from harness.testing.parametrize import BoundCheck, parametrize_with_checks
from harness.testing.registry import checks_for
from harness.testing.subject import Subject, registered, subjects_of
from harness.testing.suite import iterate_checks, run_checks

__all__ = [
    "BoundCheck",
    "Check",
    "CheckFailed",
    "CheckSkipped",
    "Outcome",
    "Subject",
    "checks_for",
    "iterate_checks",
    "parametrize_with_checks",
    "registered",
    "run_checks",
    "subjects_of",
]
