"""From a leaderboard to its runs: expansion, keys, what is done, why something is not."""
