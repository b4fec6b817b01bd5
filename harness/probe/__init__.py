"""Measurements before or beside runs: preflight, forecast, latency benchmark; and the debugger."""
