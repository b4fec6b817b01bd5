"""The result of discovery: usable plugins by kind and name, and a card for everything that is broken."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pluggy

from harness.errors import PluginError, nearest
from harness.plugins import spec
from harness.plugins.blame import GUARDED, explain, full_traceback, remedy_for
from harness.plugins.records import KIND, Kind, Plugin

log = logging.getLogger("harness.plugins")


@dataclass(frozen=True)
class Registered:
    """A record and where it comes from.

    `distribution` and `version` are those of the installed package; for a file given with ``-p`` they
    are its name and an empty string. `origin` is the module, or the file's path.
    """

    record: Plugin
    kind: Kind
    distribution: str
    version: str
    origin: str

    @property
    def label(self) -> str:
        """For example ``cardiac-harness 1.0``, or ``my_model.py``."""
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True)
class Broken:
    """The card of something that can't be used: `error` and `remedy` have one line each.

    `name` is that of the entry point or the file. For a name that is registered more than once, `name` is
    the plugin's and `duplicates` has all its registrations. `unavailable` has plugins that lack an optional
    package but are not broken otherwise.
    """

    name: str
    distribution: str
    version: str
    error: str
    remedy: str
    traceback: str = ""
    origin: str = ""
    duplicates: tuple[Registered, ...] = ()
    unavailable: tuple[Registered, ...] = ()

    @property
    def state(self) -> str:
        """``broken``, ``duplicate`` or ``not available``."""
        return "duplicate" if self.duplicates else "not available" if self.unavailable else "broken"

    @property
    def label(self) -> str:
        """For example ``wide-unet (harness-wide-unet 1.0)``, or ``my_model.py``."""
        source = f"{self.distribution} {self.version}".strip()
        return self.name if source in ("", self.name) else f"{self.name} ({source})"


OBSERVING = ("harness_run_started", "harness_epoch_ended", "harness_run_finished")
"""The hooks of observers."""


class Hooks:
    """The valid hooks of one module, in the form that pluggy registers.

    `source` is the name of its entry point, or the stem of its file.
    """

    def __init__(self, source: str, hooks: Mapping[str, Callable[..., object]]) -> None:
        self.__dict__.update(hooks)
        self.source = source


def _name_of(hook: pluggy.HookImpl) -> str:
    return str(getattr(hook.plugin, "source", hook.plugin_name))


def make_manager() -> pluggy.PluginManager:
    """A pluggy manager with the hook specifications of `spec`."""
    manager = pluggy.PluginManager(spec.GROUP)
    manager.add_hookspecs(spec)
    return manager


@dataclass(frozen=True)
class Registry:
    """Usable plugins by name, sorted by name; `broken` has the cards of all others."""

    models: Mapping[str, Registered] = field(default_factory=dict)
    losses: Mapping[str, Registered] = field(default_factory=dict)
    datasets: Mapping[str, Registered] = field(default_factory=dict)
    executors: Mapping[str, Registered] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    manager: pluggy.PluginManager = field(default_factory=make_manager, repr=False, compare=False)

    @property
    def hook(self) -> pluggy.HookRelay:
        """pluggy's hook relay; calls through it are not guarded, unlike `compatible` and `notify`."""
        return self.manager.hook

    def of(self, kind: Kind) -> Mapping[str, Registered]:
        """The usable plugins of a kind."""
        return {
            "model": self.models,
            "loss": self.losses,
            "dataset": self.datasets,
            "executor": self.executors,
        }[kind]

    def get(self, kind: Kind, name: str) -> Registered:
        """The plugin `name`; otherwise PluginError with the nearest name or the broken plugins."""
        known = self.of(kind)
        if name in known:
            return known[name]
        for card in self.broken:
            if card.duplicates and card.name == name and card.duplicates[0].kind == kind:
                raise PluginError(card.error, remedy=card.remedy)
            if any((plugin.kind, plugin.record.name) == (kind, name) for plugin in card.unavailable):
                raise PluginError(f"{kind} '{name}' is not available: {card.error}", remedy=card.remedy)
        raise self.unknown(kind, name, known)

    def unknown(self, what: str, name: str, known: Iterable[str]) -> PluginError:
        """The error for an unknown name. It lists broken plugins, which might define that name."""
        broken = {card.label: card for card in self.broken if card.state == "broken"}
        # A broken file that the user gave most likely defines the name.
        file = next((card for card in broken.values() if not card.version), None)
        if file is not None:
            return PluginError(
                f"no {what} '{name}': {file.label} is broken: {file.error}", remedy=file.remedy
            )
        remedy = nearest(name, known)
        if broken:
            shown = ", ".join(list(broken)[:3]) + (", …" if len(broken) > 3 else "")
            remedy += f" Or a broken plugin defines it: {shown}; see `harness plugins`."
        return PluginError(f"no {what} '{name}'", remedy=remedy)

    def match(self, kind: Kind, pattern: str) -> tuple[Registered, ...]:
        """The usable plugins whose name matches a glob such as ``unet*``."""
        return tuple(plugin for name, plugin in self.of(kind).items() if fnmatchcase(name, pattern))

    def everything(self) -> tuple[Registered, ...]:
        """All usable plugins, by kind."""
        return tuple(plugin for kind in KIND.values() for plugin in self.of(kind).values())

    def compatible(self, model: Plugin, loss: Plugin, dataset: Plugin) -> str | None:
        """Why a plugin excludes this combination; None if it can be run."""
        records = {"model": model, "loss": loss, "dataset": dataset}
        for hook in self._implementations("harness_compatible"):
            try:
                reason = hook.function(*(records[name] for name in hook.argnames))
            except GUARDED as error:
                return f"harness_compatible of {hook.plugin_name} failed: {explain(error)}"
            if reason is not None and not (isinstance(reason, str) and reason.strip()):
                return (
                    f"harness_compatible of {hook.plugin_name} returned {reason!r}, expected a reason or None"
                )
            if reason is not None:
                return " ".join(reason.split())
        return None

    @property
    def observers(self) -> tuple[str, ...]:
        """The names of plugins that observe runs, for which a destination can be given."""
        hooks = (hook for name in OBSERVING for hook in self._implementations(name))
        return tuple(sorted({_name_of(hook) for hook in hooks}))

    def notify(
        self, hook_name: str, places: Mapping[str, str] | None = None, **arguments: object
    ) -> list[str]:
        """Call all observers with copies of `arguments` and with the entry of `places` under their name.

        An observer's error is logged as a warning and returned as a line.
        """
        failures = []
        for hook in self._implementations(hook_name):
            everything = {**arguments, "place": (places or {}).get(_name_of(hook))}
            try:
                hook.function(*(copy.deepcopy(everything[name]) for name in hook.argnames))
            except GUARDED as error:
                module = str(hook.function.__module__)
                line = f"{hook_name} of {hook.plugin_name} failed: {explain(error, module)}"
                remedy = remedy_for(error, module, "")
                failures.append(f"{line}. {remedy}" if remedy else line)
                log.warning("%s", failures[-1])
                log.debug("%s", full_traceback(error))
        return failures

    def _implementations(self, hook_name: str) -> Iterator[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self.hook, hook_name)
        # pluggy lists them in reverse: the last one is called first.
        return reversed(caller.get_hookimpls())
