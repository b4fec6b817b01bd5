"""One verb a file; heavy imports inside the verb."""
