"""The Python API: a `Session` has a method for each command, which returns an object."""
