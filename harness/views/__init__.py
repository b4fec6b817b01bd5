"""What tables show: of a leaderboard, a comparison, a plan, runs, plugins; and the files of a leaderboard.

This package imports none of them: listing plugins needs neither numpy nor a leaderboard.
"""
