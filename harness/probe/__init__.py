"""What is measured before or beside runs: preflight, forecast, latency in turns; and the debugger."""
