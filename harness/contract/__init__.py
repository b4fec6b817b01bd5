"""What processes tell each other on disk: the specification of a run and its record, typed and versioned."""
