"""The names that are derived from a new plugin's name."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.plugins.files import importable

LONGEST = 40

_NAME = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """``my-net``, its distribution ``harness-my-net``, and its module ``harness_my_net`` or ``my_net``."""

    name: str
    distribution: str
    module: str


def name_of(name: str, *, single_file: bool) -> Names:
    """Names for a plugin called `name`; ConfigError if that is not a valid name."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigError(f"'{name}' is not a valid plugin name", remedy=_remedy(name))
    stem = re.sub(r"[-.]", "_", name)
    module = stem if single_file else f"harness_{stem}"
    if keyword.iskeyword(module):
        raise ConfigError(
            f"'{module}' is a Python keyword and can't be a module name",
            remedy=f"Call it my-{name}.",
        )
    return Names(name, f"harness-{re.sub(r'[_.]', '-', name)}", module)


def check_free(names: Names) -> None:
    """ConfigError if another module has the same name."""
    taken = importable(names.module)
    if taken is not None:
        raise ConfigError(
            f"a module '{names.module}' already exists ({taken})",
            remedy=f"Choose another name, such as my-{names.name}.",
        )


def _remedy(name: str) -> str:
    rule = f"Use up to {LONGEST} lower-case letters, digits and '-', starting with a letter"
    near = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:LONGEST].strip("-").lstrip("0123456789-")
    return f"{rule}, such as {near if _NAME.fullmatch(near) else 'my-net'}."
