"""Fill in templates and write them without overwriting anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from harness.errors import ConfigError
from harness.plugins.blame import shorten
from harness.plugins.records import Kind
from harness.scaffold.names import Names, check_free, name_of

_COMMON = {
    "pyproject.toml": "pyproject.toml",
    "${module}/__init__.py": "${kind}_init.py",
    "${module}/py.typed": "",
    "README.md": "${kind}_README.md",
}

_OWN: Mapping[Kind, Mapping[str, str]] = {
    "model": {"${module}/network.py": "model.py", "tests/test_contract.py": "test.py"},
    "loss": {"${module}/criterion.py": "loss.py", "tests/test_contract.py": "test.py"},
    "dataset": {
        "${module}/reading.py": "dataset.py",
        "${module}/example.py": "dataset_example.py",
        "tests/test_contract.py": "dataset_test.py",
    },
}
"""The files of a distribution, and their templates."""


@dataclass(frozen=True)
class WrittenPlugin:
    """What was written: the main `path`, all `files`, and the commands to run next."""

    path: Path
    files: tuple[Path, ...]
    next_steps: tuple[str, ...]


def write_plugin(
    folder: Path,
    name: str,
    kind: Kind,
    *,
    single_file: bool = False,
    board: bool = False,
    leaderboard: str = "quick",
) -> WrittenPlugin:
    """Write a plugin into `folder`, as ``NAME/`` or as one file; with `board` also a harness.toml to try it.

    `leaderboard` is the one used in the next steps; that of `board` is called ``quick``.

    ConfigError if the file or folder already exists; then nothing is written.
    """
    names = name_of(name, single_file=single_file)
    path = folder / (f"{names.module}.py" if single_file else name)
    if path.exists():
        raise ConfigError("already exists", where=shorten(path), remedy="Remove it, or choose another name.")
    check_free(names)
    values = {**asdict(names), "kind": kind}
    texts = {path / file: text for file, text in _texts(kind, values, single_file).items()}
    if single_file:
        texts = dict.fromkeys([path], *texts.values())
    if board:
        texts[folder / "harness.toml"] = _fill("harness.toml", values)
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        # "x" also protects a file that was created in the meantime.
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    return WrittenPlugin(path, tuple(texts), _next_steps(names, kind, single_file, leaderboard))


def _texts(kind: Kind, values: Mapping[str, str], single_file: bool) -> dict[str, str]:
    templates = {"": "${kind}_file.py"} if single_file else {**_COMMON, **_OWN[kind]}
    named = {Template(file).substitute(values): template for file, template in templates.items()}
    return {file: _fill(Template(template).substitute(values), values) for file, template in named.items()}


def _fill(template: str, values: Mapping[str, str]) -> str:
    if not template:
        return ""
    text = (files("harness.scaffold") / "templates" / f"{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _next_steps(names: Names, kind: Kind, single_file: bool, leaderboard: str) -> tuple[str, ...]:
    """Commands to run in the folder that the plugin was written to."""
    name, file_option = names.name, f" -p {names.module}.py" if single_file else ""
    steps = [] if single_file else [f"pip install -e {name}"]
    data = ""
    if kind == "dataset":
        data = f" --data {name}=example"
        steps.append(
            f"python {f'{names.module}.py' if single_file else f'-m {names.module}.example'} example"
        )
    flag = {"model": "-m", "loss": "-l", "dataset": "-d"}[kind]
    steps.append(f"harness plugins check {name}{file_option}{data}")
    steps.append(f"harness run {leaderboard} {flag} {name}{file_option}{data} --limit 2")
    return tuple(steps)
