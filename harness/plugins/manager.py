"""Guarded discovery: working plugins are registered, broken ones become cards, and nothing crashes."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pluggy

from harness.plugins.blame import GUARDED, explain, full_traceback, remedy_for, shorten
from harness.plugins.files import check_files, load_file
from harness.plugins.hooks import RETURNS, Hook, call, find_hooks
from harness.plugins.installed import InstalledEntryPoint, entry_points
from harness.plugins.records import KIND, Kind, Plugin
from harness.plugins.registry import Broken, Hooks, Registered, Registry, make_manager

__all__ = ["Broken", "Registered", "Registry", "load"]

OWN = "cardiac-harness"
"""The distribution of the built-in plugins, which no remedy suggests to uninstall."""


def load(files: Sequence[Path] = ()) -> Registry:
    """Discover installed plugins and those in `files`.

    PluginError only for a file that can't be a module (it is missing, or its name is taken).
    All other errors become cards in the registry's `broken`.
    """
    paths = check_files(files)
    discovery = _Discovery()
    # What a plugin prints during import must not get into a command's output.
    with contextlib.redirect_stdout(sys.stderr):
        for installed in entry_points():
            discovery.add_installed(installed)
        for path in paths:
            discovery.add_file(path)
    return discovery.registry()


@dataclass(frozen=True)
class _Source:
    """The origin of a module with plugins; `file` is None for an installed one."""

    name: str
    distribution: str
    version: str
    origin: str
    module: str
    file: Path | None = None

    def card(self, error: BaseException) -> Broken:
        return Broken(
            self.name,
            self.distribution,
            self.version,
            explain(error, self.module),
            self._remedy(error),
            full_traceback(error),
            self.origin,
        )

    def _remedy(self, error: BaseException) -> str:
        if self.file is None:
            return remedy_for(error, self.module, _repair(self.distribution))
        if isinstance(error, ModuleNotFoundError) and error.name:
            missing = error.name.partition(".")[0]
            beside = self.file.parent / missing
            if beside.is_dir() or beside.with_suffix(".py").is_file():
                return f"A file given with -p is alone: move '{missing}' into it, or install both."
        return remedy_for(error, self.module, f"Correct {shorten(self.file)}.")


@dataclass
class _Discovery:
    """Plugins found so far."""

    records: dict[tuple[Kind, str], list[Registered]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    manager: pluggy.PluginManager = field(default_factory=make_manager)
    modules: set[tuple[str, int]] = field(default_factory=set)

    def add_installed(self, installed: InstalledEntryPoint) -> None:
        """Register the plugins of an entry point."""
        distribution, version, entry = installed.distribution, installed.version, installed.entry
        if entry is None:
            source = _Source(distribution, distribution, version, "", "")
            self.broken.append(source.card(installed.error or ValueError("its entry points can't be read")))
            return
        module, _, attribute = entry.value.partition("[")[0].replace(" ", "").partition(":")
        source = _Source(entry.name, distribution, version, entry.value, module)
        if attribute:
            self._fail(
                source,
                f"its entry point '{entry.value}' names an attribute, not a module",
                f'Name only the module: {entry.name} = "{module}".',
            )
            return
        self._add(source, lambda: importlib.import_module(module))

    def add_file(self, path: Path) -> None:
        """Register the plugins of a file."""
        self._add(_Source(path.name, path.name, "", str(path), path.stem, path), lambda: load_file(path))

    def _add(self, source: _Source, load_module: Callable[[], ModuleType]) -> None:
        try:
            module = load_module()
            hooks, problems = find_hooks(module)
        except GUARDED as error:
            self.broken.append(source.card(error))
            return
        if (source.distribution, id(module)) in self.modules:
            return
        self.modules.add((source.distribution, id(module)))
        if not hooks and not problems:
            self._fail(source, "it has no hooks", "Define harness_models, or another hook, with @hookimpl.")
        for problem in problems:
            self.broken.append(source.card(problem))
        for name, function in hooks.items():
            if name in RETURNS:
                self._add_records(source, name, function)
        name = source.name if source.file is None else source.file.stem
        self.manager.register(Hooks(name, hooks), self._unique(source))

    def _add_records(self, source: _Source, hook: str, function: Hook) -> None:
        records, errors = call(hook, function)
        for record in records:
            self._register(source, record)
        # A list of a hundred strings is one mistake, not a hundred.
        cards = {card.error: card for card in map(source.card, errors)}
        self.broken.extend(cards.values())

    def _register(self, source: _Source, record: Plugin) -> None:
        kind = KIND[type(record)]
        registered = Registered(record, kind, source.distribution, source.version, source.origin)
        self.records.setdefault((kind, record.name), []).append(registered)

    def _fail(self, source: _Source, error: str, remedy: str) -> None:
        self.broken.append(
            Broken(source.name, source.distribution, source.version, error, remedy, "", source.origin)
        )

    def _unique(self, source: _Source) -> str:
        label = Broken(source.name, source.distribution, source.version, "", "").label
        return f"{label}, {source.origin}" if self.manager.has_plugin(label) else label

    def registry(self) -> Registry:
        """The usable plugins, and a card for all others."""
        usable: dict[Kind, dict[str, Registered]] = {kind: {} for kind in KIND.values()}
        cards = list(self.broken)
        lacking: dict[tuple[str, tuple[str, ...]], list[Registered]] = {}
        for (kind, name), registered in sorted(self.records.items()):
            if len(registered) > 1:
                cards.append(_duplicate(kind, name, tuple(registered)))
            elif missing := tuple(_missing(registered[0].record)):
                lacking.setdefault((registered[0].distribution, missing), []).append(registered[0])
            else:
                usable[kind][name] = registered[0]
        cards += [_unavailable(tuple(plugins), missing) for (_, missing), plugins in lacking.items()]
        return Registry(
            usable["model"],
            usable["loss"],
            usable["dataset"],
            usable["executor"],
            tuple(cards),
            self.manager,
        )


def _duplicate(kind: Kind, name: str, plugins: tuple[Registered, ...]) -> Broken:
    labels = list(dict.fromkeys(plugin.label for plugin in plugins))
    if len(labels) == 1:
        error = f"{kind} '{name}' is registered {len(plugins)} times by {labels[0]}"
        remedy = "Register it once, or under different names."
    else:
        error = f"{kind} '{name}' is registered by {' and by '.join(labels)}"
        remedy = _choose(plugins)
    distributions = ", ".join(dict.fromkeys(plugin.distribution for plugin in plugins))
    versions = ", ".join(plugin.version for plugin in plugins if plugin.version)
    return Broken(name, distributions, versions, error, remedy, duplicates=plugins)


def _missing(record: Plugin) -> Iterator[str]:
    """The required packages that are not installed; they are not imported."""
    for package in record.requires:
        try:
            if importlib.util.find_spec(package) is None:
                yield package
        except GUARDED:
            yield package


def _unavailable(plugins: tuple[Registered, ...], missing: tuple[str, ...]) -> Broken:
    """One card for the plugins of a distribution that lack the same packages."""
    verb = "is" if len(missing) == 1 else "are"
    wanted = dict.fromkeys(plugin.record.requires[package] for plugin in plugins for package in missing)
    first = plugins[0]
    return Broken(
        first.origin,
        first.distribution,
        first.version,
        f"{' and '.join(missing)} {verb} not installed",
        f"pip install {' '.join(map(shlex.quote, wanted))}",
        origin=first.origin,
        unavailable=plugins,
    )


def _choose(plugins: tuple[Registered, ...]) -> str:
    files = [plugin for plugin in plugins if Path(plugin.origin).is_absolute()]
    if files:
        return f"Rename it in {files[-1].distribution}, or don't give that file."
    others = list(dict.fromkeys(plugin.distribution for plugin in plugins if plugin.distribution != OWN))
    return f"Uninstall one of them: {', or '.join(f'pip uninstall {name}' for name in others)}."


def _repair(distribution: str) -> str:
    if distribution == OWN:
        return f"Reinstall {OWN}."
    return f"Correct or update {distribution}, or uninstall it: pip uninstall {distribution}."
