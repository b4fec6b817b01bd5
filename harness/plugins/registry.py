"""What discovery found: usable plugins by kind and name, and a card for all that is broken."""

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

    `distribution` and `version` are the installed package's; of a file given with ``-p`` they
    are its name and empty. `origin` is the module, or the file's path.
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
    """The card of something that can't be used: `error` and `remedy` are a line each.

    `name` is the entry point's or the file's. A name that is registered more than once is the
    other sort of card: `name` is the plugin's then, and `duplicates` has all that claim it. A third
    sort is of plugins in `unavailable`, which are whole but lack an optional package.
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
    """The hooks of one module that passed the checks, in the form that pluggy registers.

    `source` is the name of its entry point, or the stem of its file.
    """

    def __init__(self, source: str, hooks: Mapping[str, Callable[..., object]]) -> None:
        self.__dict__.update(hooks)
        self.source = source


def _name_of(hook: pluggy.HookImpl) -> str:
    return str(getattr(hook.plugin, "source", hook.plugin_name))


def make_manager() -> pluggy.PluginManager:
    """pluggy's manager with the hooks of `spec`."""
    manager = pluggy.PluginManager(spec.GROUP)
    manager.add_hookspecs(spec)
    return manager


@dataclass(frozen=True)
class Registry:
    """Plugins by name, in order of name. `broken` has the cards; nothing in it is among the names."""

    models: Mapping[str, Registered] = field(default_factory=dict)
    losses: Mapping[str, Registered] = field(default_factory=dict)
    datasets: Mapping[str, Registered] = field(default_factory=dict)
    executors: Mapping[str, Registered] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    manager: pluggy.PluginManager = field(default_factory=make_manager, repr=False, compare=False)

    @property
    def hook(self) -> pluggy.HookRelay:
        """pluggy's relay; calls through it are unguarded, unlike `compatible` and `notify`."""
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
        """The plugin of that name; PluginError with the nearest name, or with what is broken."""
        known = self.of(kind)
        if name in known:
            return known[name]
        for card in self.broken:
            if card.duplicates and card.name == name and card.duplicates[0].kind == kind:
                raise PluginError(card.error, remedy=card.remedy)
            if any((each.kind, each.record.name) == (kind, name) for each in card.unavailable):
                raise PluginError(f"{kind} '{name}' is not available: {card.error}", remedy=card.remedy)
        raise self.unknown(kind, name, known)

    def unknown(self, what: str, name: str, known: Iterable[str]) -> PluginError:
        """The error for a name that nothing goes by, with what is broken: it may be in there."""
        broken = {card.label: card for card in self.broken if card.state == "broken"}
        # What a user wrote in a file beside, and named, is what the name is most likely of.
        own = next((card for card in broken.values() if not card.version), None)
        if own is not None:
            return PluginError(f"no {what} '{name}': {own.label} is broken: {own.error}", remedy=own.remedy)
        remedy = nearest(name, known)
        if broken:
            shown = ", ".join(list(broken)[:3]) + (", …" if len(broken) > 3 else "")
            remedy += f" Or it belongs to a plugin that is broken: {shown}; see `harness plugins`."
        return PluginError(f"no {what} '{name}'", remedy=remedy)

    def match(self, kind: Kind, pattern: str) -> tuple[Registered, ...]:
        """The usable plugins whose name fits a glob such as ``unet*``; maybe none."""
        return tuple(found for name, found in self.of(kind).items() if fnmatchcase(name, pattern))

    def everything(self) -> tuple[Registered, ...]:
        """All usable plugins, kind by kind."""
        return tuple(found for kind in KIND.values() for found in self.of(kind).values())

    def compatible(self, model: Plugin, loss: Plugin, dataset: Plugin) -> str | None:
        """Why some plugin rules the three records out together; None if they may be run."""
        given = {"model": model, "loss": loss, "dataset": dataset}
        for hook in self._implementations("harness_compatible"):
            try:
                reason = hook.function(*(given[name] for name in hook.argnames))
            except GUARDED as error:
                return f"harness_compatible of {hook.plugin_name} failed: {explain(error)}"
            if reason is not None and not (isinstance(reason, str) and reason.strip()):
                return f"harness_compatible of {hook.plugin_name} gave {reason!r}, neither a reason nor None"
            if reason is not None:
                return " ".join(reason.split())
        return None

    @property
    def observers(self) -> tuple[str, ...]:
        """Names that a place to report to can be given for: plugins that observe runs."""
        hooks = (hook for name in OBSERVING for hook in self._implementations(name))
        return tuple(sorted({_name_of(hook) for hook in hooks}))

    def notify(self, hook_name: str, places: Mapping[str, str] | None = None, **given: object) -> list[str]:
        """Tell all observers; each gets a copy, and of `places` the one under its name.

        An observer's error is a warning in the log and a line of what is given back.
        """
        failures = []
        for hook in self._implementations(hook_name):
            everything = {**given, "place": (places or {}).get(_name_of(hook))}
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
        # pluggy keeps them in reverse: the last of its list is called first.
        return reversed(caller.get_hookimpls())
