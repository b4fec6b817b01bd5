"""From records to a ranked board: aggregation, ranks, costs, paired comparison. Pure functions."""
