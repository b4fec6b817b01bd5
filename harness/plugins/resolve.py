"""Import the object of a target ``"package.module:attribute"``, and hash its source."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from importlib.machinery import ModuleSpec
from types import ModuleType

from harness.errors import PluginError, nearest
from harness.plugins.blame import GUARDED, explain, remedy_for


def resolve(target: str, *, where: object = None) -> object:
    """Import `target`; if that fails, PluginError with `where` and the plugin's file and line."""
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise PluginError(f"target '{target}' is not of the form 'package.module:attribute'", where=where)
    resolved: object = _import(module_name, target, where)
    for name in path.split("."):
        try:
            resolved = getattr(resolved, name)
        except AttributeError as error:
            raise PluginError(
                f"target '{target}': '{module_name}' has no '{name}'",
                where=where,
                remedy=nearest(name, _defined(resolved, module_name)),
            ) from error
        except GUARDED as error:  # a module that imports on access
            raise _failed(error, module_name, where) from error
    return resolved


def source_hash(target: str) -> str:
    """SHA-256 in hexadecimal of the source file of `target`'s module, which is not imported.

    Its parent packages are imported. PluginError if there is no file to read.
    """
    module_name = target.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module_name)
        data = _source(spec)
    except GUARDED as error:
        raise PluginError(
            f"the source of '{module_name}' can't be read: {explain(error, module_name)}",
            remedy=_reinstall(module_name),
        ) from error
    if data is None:
        raise PluginError(f"module '{module_name}' has no source file", remedy=_reinstall(module_name))
    return hashlib.sha256(data).hexdigest()


def _import(module_name: str, target: str, where: object) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except GUARDED as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and (module_name == missing or module_name.startswith(f"{missing}.")):
            raise PluginError(
                f"target '{target}': no module '{missing}'",
                where=where,
                remedy=_reinstall(module_name),
            ) from error
        raise _failed(error, module_name, where) from error


def _failed(error: BaseException, module_name: str, where: object) -> PluginError:
    return PluginError(
        f"importing '{module_name}' failed: {explain(error, module_name)}",
        where=where,
        remedy=remedy_for(error, module_name, "Correct the plugin's code."),
    )


def _source(spec: ModuleSpec | None) -> bytes | None:
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    # Only its loader can open the origin of a module in a zip file.
    read = getattr(spec.loader, "get_data", None)
    return None if read is None else bytes(read(spec.origin))


def _reinstall(module_name: str) -> str:
    return (
        f"Install the plugin that provides '{module_name.partition('.')[0]}', give its file with -p, "
        "or correct the target."
    )


def _defined(holder: object, module_name: str) -> list[str]:
    """The names in `holder` that `module_name` itself defines."""
    return [
        name
        for name, value in vars(holder).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module_name
    ]
