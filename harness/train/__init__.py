"""The training loop, with its batches, optimisers, schedule and checkpoints."""
