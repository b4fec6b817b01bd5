"""Run folders, the record and its schema, atomic writes. Files here are the contract."""
