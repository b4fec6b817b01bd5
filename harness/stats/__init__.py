"""Statistics on plain arrays: confidence intervals, tests, groups, ranks, stability, noise floor."""
