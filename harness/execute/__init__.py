"""Where runs happen: the worker that carries one out, and what places workers."""
