"""Ranked boards from records: aggregation, intervals, ranks, costs and paired comparison. Pure functions."""
