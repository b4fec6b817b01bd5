"""Templates of new plugins: a distribution or a single file."""

from harness.scaffold.names import Names, name_of
from harness.scaffold.write import WrittenPlugin, write_plugin

__all__ = ["Names", "WrittenPlugin", "name_of", "write_plugin"]
