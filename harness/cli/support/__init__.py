"""Helpers of several verbs: arguments, progress, and printing of leaderboards."""
