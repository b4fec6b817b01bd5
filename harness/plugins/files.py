"""Plugins in a single file, imported under its stem, so that ``"my_model:Net"`` resolves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from harness.errors import PluginError


class _FileLoader(SourceFileLoader):
    """Executes the source in `data`, without writing a ``__pycache__`` next to the user's file."""

    def __init__(self, name: str, path: str, data: bytes) -> None:
        super().__init__(name, path)
        self.data = data

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.data, self.path)


def check_files(files: Sequence[Path]) -> list[Path]:
    """Absolute paths without duplicates; PluginError for a file that can't be imported as a module."""
    checked: dict[Path, Path] = {}
    stems: dict[str, Path] = {}
    for file in files:
        path = file.absolute()
        if path.resolve() in checked:
            continue
        _check_file(path, file)
        other = stems.setdefault(path.stem, file)
        if other is not file:
            raise PluginError(
                f"has the same module name '{path.stem}' as {other}",
                where=file,
                remedy="Rename one of them.",
            )
        checked[path.resolve()] = path
    return list(checked.values())


def load_file(path: Path) -> ModuleType:
    """Import `path` under its stem and return the module; raises what the file raises.

    A file with unchanged content is imported once per process.
    """
    data = path.read_bytes()
    name = path.stem
    present = sys.modules.get(name)
    if present is not None:
        loader = getattr(present.__spec__, "loader", None)
        if not isinstance(loader, _FileLoader) or (loader.path, loader.data) == (str(path), data):
            return present
    file_loader = _FileLoader(name, str(path), data)
    spec = spec_from_file_location(name, path, loader=file_loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        file_loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _check_file(path: Path, shown: Path) -> None:
    if path.is_dir():
        raise PluginError(
            "is a folder", where=shown, remedy="Install a package with pip; -p takes a single .py file."
        )
    if not path.is_file():
        raise PluginError("no such file", where=shown, remedy="Correct the path after -p.")
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier() or name.startswith("__"):
        raise PluginError(
            "is not a valid module name",
            where=shown,
            remedy="Name it with letters, digits and '_', ending in .py, such as my_model.py.",
        )
    taken = importable(name)
    if taken is not None and Path(taken).resolve() != path.resolve():
        raise PluginError(
            f"its name hides the module '{name}' ({taken})",
            where=shown,
            remedy=f"Rename it, for example to my_{name}.py.",
        )


def importable(name: str) -> str | None:
    """Where ``import name`` would find another module of that name; None if there is none."""
    present = sys.modules.get(name)
    if present is not None and not isinstance(getattr(present.__spec__, "loader", None), _FileLoader):
        return str(getattr(present, "__file__", None) or "built-in")
    for finder in sys.meta_path:
        spec: ModuleSpec | None = finder.find_spec(name, None)
        # A folder without code (a namespace package) has no origin and can't be hidden.
        if spec is not None and spec.origin is not None:
            return spec.origin
    return None
