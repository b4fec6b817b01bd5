"""What verbs share: arguments, progress, and the printing of leaderboards."""
