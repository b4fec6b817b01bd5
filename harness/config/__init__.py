"""harness.toml as typed, validated settings; overrides; the JSON schema."""
