"""Shared by all tests: one thread a process, so that parallel workers don't fight for cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
for variable in [name for name in os.environ if name.startswith("HARNESS_")]:
    # A developer's own HARNESS_ACDC_ROOT must not decide what a test sees.
    del os.environ[variable]
