"""Measurements of a run and its machine: clocks, memory, FLOPs, energy, contention, hardware, provenance."""
