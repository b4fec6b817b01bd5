"""What verbs share: arguments, progress, and the opening of leaderboards, runs and entries."""
