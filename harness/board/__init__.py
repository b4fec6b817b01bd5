"""Ranked leaderboards from records: aggregation, ranking, costs and paired comparison. Pure functions."""
