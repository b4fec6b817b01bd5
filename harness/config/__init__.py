"""harness.toml as typed, validated settings, with overrides and a JSON schema."""
