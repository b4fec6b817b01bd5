"""Contestants of the benchmarks: what they work on, the ways that it is done, and taking turns."""
