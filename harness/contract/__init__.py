"""The files through which processes communicate: the specification of a run and its record, with versions."""
