"""Write the parts of the documentation that are made from code.

They are docs/hooks.md, docs/api.md, the options in docs/commands.md, and the rooms in docs/architecture.md.
``python docs/reference.py`` writes them; with ``--check`` the exit code is 1 if one of them is stale.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import re
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from harness import Case, Dataset, Executor, Loss, Model, Session, Task, Volume, score
from harness.cli.main import make_parser
from harness.plugins import spec
from harness.plugins.hooks import RETURNS, SPECS
from harness.session import events
from harness.session.cancelling import CancelOutcome
from harness.session.comparison import EntryComparison
from harness.session.data_audit import DataAudit
from harness.session.display import TableView
from harness.session.external_predictions import ScoredPredictions
from harness.session.label_maps import LabelMapScores
from harness.session.latency import EntryLatency, Latencies
from harness.session.leaderboard import Leaderboard
from harness.session.planning import Explanation, PlannedLeaderboard
from harness.session.report import WrittenReport
from harness.session.rescoring import RescoreOutcome
from harness.session.running import RunsOutcome
from harness.store.merge import Merged
from harness.store.status import Status

ROOT = Path(__file__).parents[1]

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


API_HEAD = """\
# Python API

*Written by `python docs/reference.py` from docstrings: change those instead. A test runs the example.*

A [`Session`](#session) has a method for each command, which returns an object instead of printing. The
command line calls this API. `import harness` loads neither torch, numpy nor pandas; they are loaded when
needed.

```python
import harness

session = harness.Session("harness.toml")  # data={"acdc": PATH} where a leaderboard needs data
session.plan("quick").to_frame()[["entry", "state", "reason"]]

outcome = session.run("quick", models=["unet2d[base=8]"], on_event=print)
assert outcome.ok, outcome.schedule.failed

board = session.leaderboard("quick")
print(board)  # a table; rich lays it out for a terminal, a notebook shows HTML
board.caveats  # what limits the conclusions
entries = board.to_frame()  # pandas, a row an entry
scores = board.scores()  # pandas, a row a case, structure and metric
means = scores[scores.metric == "dice"].groupby(["entry", "structure"]).value.mean()

comparison = board.compare("unet2d[base=8] + cross-entropy", "unet2d[base=8] + log-dice")
print(comparison.verdict, comparison)
```

Label maps can be scored without a project:

```python
import numpy as np

reference = np.zeros((8, 64, 64), np.uint8)
reference[:, 20:40, 20:40] = 3
prediction = np.roll(reference, 1, axis=2)
scores = harness.score(prediction, reference, spacing_mm=(8.0, 1.5, 1.5), structures={"LV": 3})
scores.values["LV"]["hd"]  # 1.5 mm
scores.to_frame()
```

[`examples/notebook.ipynb`](../examples/notebook.ipynb) goes from an empty folder to a comparison.

An error that a user can act on is a `harness.errors.HarnessError`. Its text says what is wrong,
where, and what to do.
"""

RESULTS = (
    *(Leaderboard, EntryComparison, TableView, RunsOutcome, PlannedLeaderboard, Explanation, WrittenReport),
    *(ScoredPredictions, RescoreOutcome, Status, CancelOutcome, Merged, DataAudit, Latencies, EntryLatency),
    LabelMapScores,
)
"""What the methods of a session return."""

EVENTS = (events.StepAdvanced, events.PlanMade, events.RunEvent, events.ScheduleEnded)


def api_page() -> str:
    """docs/api.md."""
    parts = [
        API_HEAD,
        "## harness.score\n",
        _function("harness.score", score),
        "## Session\n",
        _class(Session),
    ]
    parts.append("## Results\n")
    parts += [f"### {kind.__name__}\n\n{_class(kind)}" for kind in RESULTS]
    parts.append("## Events\n\n`on_event` is called with one of these; each has a line of text (`print`).\n")
    parts += [f"### {kind.__name__}\n\n{_class(kind)}" for kind in EVENTS]
    return "\n".join(parts)


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


def rooms() -> str:
    """The rooms of the package, from top to bottom: a table, and a drawing of the arrows between them.

    The arrows are those that tests/test_arrows.py enforces; the purposes are the rooms' own docstrings.
    """
    arrows = runpy.run_path(str(ROOT / "tests" / "test_arrows.py"))
    below: Mapping[str, AbstractSet[str]] = arrows["BELOW"]
    order = sorted(below, key=lambda room: (-_height(room, below), room))
    rows = [f"| `{room}` | {_purpose(room)} | {_names(below[room], order)} |" for room in order]
    drawing = [
        f"    {room} --> {lower}" for room in order for lower in order if lower in _nearest(room, below)
    ]
    light = _names(set(arrows["TORCH_FREE"]), order)
    return "\n".join(
        [
            "",
            "| room | what it is for | may import |",
            "|---|---|---|",
            *rows,
            "",
            f"These rooms don't import torch, not even inside a function: {light}.",
            "",
            "The drawing leaves out an arrow where a longer path leads to the same room.",
            "",
            "```mermaid",
            "graph TD",
            *drawing,
            "```",
            "",
        ]
    )


def insert(page: Path, name: str, text: str) -> str:
    """The page with `text` between the markers of the block `name`."""
    begin, end = f"<!-- {name}: written by docs/reference.py -->\n", f"<!-- end of {name} -->\n"
    head, found_begin, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found_end, tail = rest.partition(end)
    if not (found_begin and found_end):
        raise SystemExit(f"{page} lacks the lines {begin.strip()} and {end.strip()}")
    return f"{head}{begin}{text}\n{end}{tail}"


def pages(docs: Path) -> dict[Path, str]:
    """Every page of the folder `docs` that is written in whole or in part, as it should be."""
    commands, architecture = docs / "commands.md", docs / "architecture.md"
    return {
        docs / "hooks.md": hooks_page(),
        docs / "api.md": api_page(),
        commands: insert(commands, "options", options()),
        architecture: insert(architecture, "rooms", rooms()),
    }


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


def _height(room: str, below: Mapping[str, AbstractSet[str]]) -> int:
    """The number of arrows on the longest path down from a room."""
    return max((1 + _height(lower, below) for lower in below[room]), default=0)


def _reachable(room: str, below: Mapping[str, AbstractSet[str]]) -> set[str]:
    return set(below[room]).union(*(_reachable(lower, below) for lower in below[room]))


def _nearest(room: str, below: Mapping[str, AbstractSet[str]]) -> set[str]:
    """The rooms that only a direct arrow reaches."""
    return set(below[room]).difference(*(_reachable(lower, below) for lower in below[room]))


def _purpose(room: str) -> str:
    """The first paragraph of the room's docstring, without importing the room."""
    source = (ROOT / "harness" / room / "__init__.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source))
    if not docstring:
        raise SystemExit(f"harness/{room}/__init__.py has no docstring")
    return _cell(_paragraphs(docstring.partition("\n\n")[0]))


def _names(names: AbstractSet[str], order: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in order if name in names) or "–"


def _when(name: str) -> str:
    return (inspect.getdoc(SPECS[name]) or "").partition("\n")[0].rstrip(".").lower()


def _gives(name: str) -> str:
    if name in RETURNS:
        return f"[`{RETURNS[name].__name__}`](#{RETURNS[name].__name__.lower()}) records"
    return "a reason, or None" if name == "harness_compatible" else "nothing: an observer"


def _class(kind: type) -> str:
    """A class: its text, how it is made or its fields, its properties, its methods."""
    parts = [f"{_text(kind)}\n"]
    if dataclasses.is_dataclass(kind):
        parts.append(_fields(kind))
    else:
        parts.append(f"```python\n{_call(kind.__name__, kind.__init__)}\n```\n")  # type: ignore[misc]
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    for name, member in public.items():
        if isinstance(member, property | functools.cached_property):
            parts.append(f"**`.{name}`**: {_text(member)}\n")
    for name, member in public.items():
        if inspect.isfunction(member):
            parts.append(_function(f".{name}", member))
    return "\n".join(parts)


def _fields(kind: type) -> str:
    """The fields of a result as a list; its docstring explains them."""
    fields = [f"`{field.name}: {field.type}`" for field in dataclasses.fields(kind)]
    return f"Fields: {', '.join(fields)}\n"


def _function(name: str, function: Callable[..., object]) -> str:
    return f"```python\n{_call(name, function)}\n```\n\n{_text(function)}\n"


def _call(name: str, function: Callable[..., object]) -> str:
    """A signature without `self`, on one line where it fits."""
    signature = inspect.signature(function)
    parameters = [one for one in signature.parameters.values() if one.name != "self"]
    texts = list(map(_parameter, parameters))
    kinds = [one.kind for one in parameters]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        texts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    result = signature.return_annotation
    arrow = "" if result in ("None", inspect.Signature.empty) else f" -> {result}"
    line = f"{name}({', '.join(texts)}){arrow}"
    inside = "".join(f"    {text},\n" for text in texts)
    return line if len(line) <= 100 else f"{name}(\n{inside}){arrow}"


def _parameter(parameter: inspect.Parameter) -> str:
    star = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else ""
    default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
    return f"{star}{parameter.name}: {parameter.annotation}{default}"


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
