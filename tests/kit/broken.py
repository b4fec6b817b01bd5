"""Seeded mistakes: broken plugins, each with the checks that must find it and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Factory = Callable[..., Any]


@dataclass
class Mistakes:
    """The broken plugins of a module: factories by name, and what must find them."""

    found_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)

    def breaks(self, *checks: str, **options: Any) -> Callable[[Factory], Factory]:
        """Mark a factory as broken: `checks` must fail, the first of which names the mistake."""

        def note(factory: Factory) -> Factory:
            self.found_by[factory.__name__] = checks
            self.options[factory.__name__] = options
            return factory

        return note
