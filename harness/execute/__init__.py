"""Where and when runs happen: scheduler, executor contract, local executors, worker, heartbeat."""
