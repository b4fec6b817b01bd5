"""Write what of the documentation the code knows better: docs/hooks.md and the options in docs/commands.md.

``python docs/reference.py`` writes; with ``--check`` it ends with 1 where something is stale.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import Case, Dataset, Executor, Loss, Model, Task, Volume
from harness.cli.main import make_parser
from harness.plugins import spec
from harness.plugins.hooks import RETURNS, SPECS

BEGIN, END = "<!-- options: written by docs/reference.py -->\n", "<!-- end of options -->\n"

HOOKS_HEAD = """\
# Hooks

*Written by `python docs/reference.py` from `harness/plugins/spec.py` and the records: change those instead.*

{intro}

| hook | when | gives |
|---|---|---|
{rows}

An error never takes a command down: each hook says what becomes of it. A test runs the examples below.
How to write a plugin: [tutorial](tutorial.md), [losses and datasets](howto.md).
"""

RECORDS_HEAD = """\
## What hooks give

Facts, checked when they are made. `target` names the implementation as `"package.module:attribute"`; it is
imported by the run that needs it, so listing plugins imports no torch. `defaults` are the parameters and
their values; with others an entry is one of its own (`unet2d[slices=3]`). `version` is part of a run's key.
"""

TARGETS_HEAD = """\
## What targets work with
"""


def hooks_page() -> str:
    """docs/hooks.md."""
    rows = "\n".join(f"| [`{name}`](#{name}) | {_when(name)} | {_gives(name)} |" for name in SPECS)
    intro = _paragraphs(inspect.getdoc(spec) or "").partition("\n\n")[2]
    parts = [HOOKS_HEAD.format(intro=intro, rows=rows)]
    parts += [f"## {name}\n\n```python\n{_signature(name)}\n```\n\n{_text(SPECS[name])}\n" for name in SPECS]
    parts.append(RECORDS_HEAD)
    parts += map(_record, (Model, Loss, Dataset, Executor))
    parts.append(TARGETS_HEAD)
    parts += map(_record, (Task, Case, Volume))
    return "\n".join(parts)


def options() -> str:
    """The options of every verb that people use, as a table each."""
    parts = [_table(name, parser) for name, parser in _verbs(make_parser(), "")]
    return "\n".join(["", *parts])


def commands_page(page: str) -> str:
    """docs/commands.md with its options as they are now."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"docs/commands.md lacks the lines {BEGIN.strip()} and {END.strip()}")
    return f"{head}{BEGIN}{options()}\n{END}{tail}"


def pages(docs: Path) -> dict[Path, str]:
    """Every written page of the folder `docs`, as it should be."""
    commands = docs / "commands.md"
    return {docs / "hooks.md": hooks_page(), commands: commands_page(commands.read_text(encoding="utf-8"))}


def main(argv: list[str] | None = None) -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page is stale")
    parser.add_argument("--docs", type=Path, default=Path(__file__).parent, help="the folder of pages")
    args = parser.parse_args(argv)
    stale = [
        path
        for path, text in pages(args.docs).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if args.check:
            print(f"{path} is stale: run python docs/reference.py", file=sys.stderr)
        else:
            path.write_text(pages(args.docs)[path], encoding="utf-8")
            print(f"wrote {path}")
    return int(bool(stale) and args.check)


def _when(name: str) -> str:
    return (inspect.getdoc(SPECS[name]) or "").partition("\n")[0].rstrip(".").lower()


def _gives(name: str) -> str:
    if name in RETURNS:
        return f"[`{RETURNS[name].__name__}`](#{RETURNS[name].__name__.lower()}) records"
    return "a reason, or None" if name == "harness_compatible" else "nothing: an observer"


def _signature(name: str) -> str:
    text = f"def {name}{inspect.signature(SPECS[name])}"
    plain = re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text.replace("'", ""))
    if len(plain) <= 100:
        return plain
    inside = inspect.signature(SPECS[name]).parameters.values()
    lines = "".join(f"    {parameter},\n" for parameter in inside).replace("'", "")
    return f"def {name}(\n{lines}){plain.rpartition(')')[2]}"


def _text(thing: object) -> str:
    """A docstring as Markdown: its examples fenced."""
    blocks = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(
        f"```pycon\n{block}\n```" if block.startswith(">>>") else _paragraphs(block) for block in blocks
    )


def _paragraphs(text: str) -> str:
    return text.replace("``", "`")


def _record(kind: type) -> str:
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # all of them are dataclasses
    lines = [f"    {field.name}: {field.type}{_default(field)}," for field in fields]
    return "\n".join(
        [
            f"### {kind.__name__}",
            "",
            "```python",
            f"{kind.__name__}(",
            *lines,
            ")",
            "```",
            "",
            _text(kind),
            "",
        ]
    )


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return f" = {field.default!r}"
    if field.default_factory is not dataclasses.MISSING:
        return f" = {field.default_factory()!r}"
    return ""


COMMON = ("help", "plugin_files", "config", "verbose")


def _verbs(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if name and _own(parser):
        yield name, parser
    for action in below:
        for verb, sub in action.choices.items():
            yield from _verbs(sub, f"{name} {verb}".strip())


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [
        action
        for action in parser._actions
        if action.dest not in COMMON and not isinstance(action, argparse._SubParsersAction)
    ]


def _table(name: str, parser: argparse.ArgumentParser) -> str:
    rows = [f"| {_usage(action)} | {_help(parser, action)} |" for action in _own(parser)]
    return "\n".join([f"### `harness {name}`", "", "| option | does |", "|---|---|", *rows, ""])


def _usage(action: argparse.Action) -> str:
    value = ""
    if action.nargs != 0:
        choices = "|".join(map(str, action.choices)) if action.choices else ""
        named = action.metavar if isinstance(action.metavar, str) else None
        value = named or choices or action.dest.upper()
    words = [f"{flag} {value}".rstrip() for flag in action.option_strings[:1]] or [value]
    words += action.option_strings[1:]
    return ", ".join(f"`{_cell(word)}`" for word in words)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.help:
        raise SystemExit(f"{parser.prog}: {_usage(action)} has no help text")
    return _cell(parser._get_formatter()._expand_help(action))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    raise SystemExit(main())
