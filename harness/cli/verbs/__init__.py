"""One file per verb. Heavy imports are inside functions, so that `--help` stays fast."""
