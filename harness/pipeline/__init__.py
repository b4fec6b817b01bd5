"""What a worker does for one run: prepare, train, predict, score, record."""
