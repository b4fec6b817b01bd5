"""Pure functions of arrays: confidence intervals, groups, tests, ranks, stability. They know no records."""
