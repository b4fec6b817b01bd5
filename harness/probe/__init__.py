"""Measurements outside runs: preflight, forecast and latency benchmark; and the debugger."""
