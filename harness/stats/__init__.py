"""Statistics on plain arrays: bootstrap, confidence intervals, tests, ranking methods, noise floor."""
