"""Files of runs: the run folder, the record and its schema, leases, atomic writes, merging."""
