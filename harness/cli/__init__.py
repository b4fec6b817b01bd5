"""The command line: one verb per file, with heavy imports inside the verb."""
