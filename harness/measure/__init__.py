"""Device and precision, clocks, memory, FLOPs, hardware, provenance."""
