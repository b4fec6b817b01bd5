"""From a leaderboard to its runs: expansion, compatibility, keys, and the reason for each state."""
