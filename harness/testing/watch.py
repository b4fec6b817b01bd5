"""``python -m harness.testing.watch ORIGIN``: register a module's plugins, and say who imports torch.

Prints ``LIGHT``, or ``TORCH FILE:LINE``, as its last line. It runs in a process of its own, where
nothing is imported yet.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from harness.plugins import files, hooks

_OURS = {__file__, files.__file__, hooks.__file__, importlib.__file__, contextlib.__file__}


class TorchImportGuard:
    """A finder that finds nothing; the first question for torch ends the process."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        """Answer for no module."""
        if name.partition(".")[0] != "torch":
            return
        lines = [line for line in traceback.extract_stack()[:-1] if not line.filename.startswith("<")]
        # The first line that is not ours is the plugin's, whatever it imports on the way to torch.
        theirs = [line for line in lines if line.filename not in _OURS and not _runs_modules(line.filename)]
        print(f"TORCH {theirs[0].filename}:{theirs[0].lineno}" if theirs else "TORCH", flush=True)
        os._exit(0)


def _runs_modules(file: str) -> bool:
    return Path(file).name == "runpy.py"


def main(origin: str) -> None:
    """Import the module or file `origin`, and call its hooks that return records."""
    sys.meta_path.insert(0, TorchImportGuard())
    is_file = origin.endswith(".py")
    module = files.load_file(Path(origin)) if is_file else importlib.import_module(origin)
    found, _ = hooks.find_hooks(module)
    for name in hooks.RETURNS.keys() & found.keys():
        hooks.call(name, found[name])
    print("LIGHT", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
