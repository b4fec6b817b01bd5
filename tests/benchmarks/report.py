"""From the JSON of pytest-benchmark to docs/benchmarks.md.

    .venv/bin/python tests/benchmarks/report.py build/benchmarks/*.json [-o docs/benchmarks.md]

Give one file per machine, with or without a GPU; the page names the machines.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
Row = Mapping[str, Any]
"""A benchmark as pytest-benchmark keeps it."""

NAMES = {"monai": "MONAI", "torchio": "TorchIO", "bare": "bare network", "harness": "Harness"}

HEAD = Path(__file__).with_name("template.md").read_text()

NO_GPU = (
    "No GPU was available. `make bench` on a machine with one fills this section; nothing in it is estimated."
)


def page(files: Sequence[Mapping[str, Any]]) -> str:
    """The whole page; one section for machines without a GPU, one for those with."""
    with_gpu = [file for file in files if _machine(file).get("gpu")]
    without = [file for file in files if not _machine(file).get("gpu")]
    parts = [HEAD, "## CPU\n", *[_section(file) for file in without]]
    if not without:
        parts.append("Only a machine with a GPU was available; its CPU was not measured by itself.\n")
    parts += ["## GPU\n", *([_section(file) for file in with_gpu] or [NO_GPU + "\n"])]
    return "\n".join(parts)


def _machine(file: Mapping[str, Any]) -> Mapping[str, Any]:
    return file["machine_info"].get("harness", {})


def _section(file: Mapping[str, Any]) -> str:
    rows = file["benchmarks"]
    parts = [_about(file)]
    for title, table, make in TABLES:
        found = [row for row in rows if row["extra_info"].get("table", row["group"]) == table]
        if found:
            parts.append(f"### {title}\n\n{make(found)}\n")
    other = [row for row in rows if "table" not in row["extra_info"]]
    if other:
        parts.append(f"### Scoring and ranking\n\n{_plain(other)}\n")
    return "\n".join(parts)


def _about(file: Mapping[str, Any]) -> str:
    machine = _machine(file)
    before, after = (machine.get(name, [float("nan")])[0] for name in ("loadavg", "loadavg_after"))
    gpu = f"{machine['gpu']}; " if machine.get("gpu") else ""
    turns = [row["extra_info"]["turns"] for row in file["benchmarks"] if "turns" in row["extra_info"]]
    threads = f"{turns[0]['harness'][0]['threads']} threads per library, " if turns else ""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{gpu}{machine['cpu']}, {machine['cores']} cores, {machine['ram_gib']:.0f} GiB; "
        f"{threads}Harness in {machine['precision']}; load {before:.1f} before, {after:.1f} after; "
        f"{file['datetime'][:10]}.\nPython {file['machine_info']['python_version']}, {versions}.\n"
    )


def training(rows: Iterable[Row]) -> str:
    """Steps: medians, shares and the ratios that matter."""
    rows, peers = list(rows), _peers(rows)
    head = ["network and batch", "step", "steps/s", "of bare", *[f"× {NAMES[p]}" for p in peers]]
    head += ["data", *[f"data of {NAMES[p]}" for p in peers], "epoch / step"]
    return _table(head, [_training_row(row["extra_info"], peers) for row in rows]) + _absent(rows)


def _training_row(info: Row, peers: Sequence[str]) -> list[str]:
    turns = info["turns"]
    steps = turns["harness"][0]["steps"]
    step = _median(turns["harness"], "seconds") / steps
    epoch = statistics.median(t["epoch_s"] / t["seconds"] for t in turns["harness"])
    return [
        info["work"],
        _time(step),
        f"{1 / step:.3g}",
        f"{100 * _ratio(turns, 'bare'):.0f} %",
        *[f"{_ratio(turns, peer):.1f}" if peer in turns else "—" for peer in peers],
        _data(turns["harness"]),
        *[_data(turns[peer]) if peer in turns else "—" for peer in peers],
        f"{epoch:.2f}",
    ]


def _data(turns: Sequence[Row]) -> str:
    return f"{100 * statistics.median(turn['data_s'] / turn['seconds'] for turn in turns):.1f} %"


def in_turns(of: str) -> Callable[[Iterable[Row]], str]:
    """A table of median times per `of` (batch, case or volume) and ratios to the peers."""

    def made(rows: Iterable[Row]) -> str:
        rows, peers = list(rows), _peers(rows)
        again = any("again_s" in row["extra_info"]["turns"]["harness"][0] for row in rows)
        cached = [f"from cache, per {of}"] if again else []
        head = ["", f"Harness, per {of}", *cached, *[f"× {NAMES[p]}" for p in peers]]
        lines = []
        for row in rows:
            info = row["extra_info"]
            own = info["turns"]["harness"]
            steps = own[0]["steps"]
            lines.append(
                [
                    info["work"],
                    _time(_median(own, "seconds") / steps),
                    *([_time(_median(own, "again_s") / steps)] if again else []),
                    *[f"{_ratio(info['turns'], p):.1f}" if p in info["turns"] else "—" for p in peers],
                ]
            )
        return _table(head, lines) + _absent(rows)

    return made


def commands(rows: Iterable[Row]) -> str:
    """Start-up times beside that of an idle interpreter."""
    return _table(
        ["", "in all", "interpreter alone"],
        [
            [
                f"`{row['extra_info']['work']}`",
                _time(row["stats"]["median"]),
                _time(statistics.median(row["extra_info"]["interpreter"])),
            ]
            for row in rows
        ],
    )


def _plain(rows: Iterable[Row]) -> str:
    lines = []
    for row in rows:
        if "times_medpy" in row["extra_info"]:
            lines.append(
                ["scoring, in turns with MedPy", f"{row['extra_info']['times_medpy']:.0f} times as fast"]
            )
        else:
            of = f"{row['group']}: " if row["group"] else ""
            lines.append([f"{of}{row['name'].removeprefix('test_')}", _time(row["stats"]["median"])])
    return _table(["", "median"], lines)


def _many(rows: Iterable[Row]) -> str:
    return _table(["", "median"], [[r["extra_info"]["work"], _time(r["stats"]["median"])] for r in rows])


TABLES: tuple[tuple[str, str, Callable[[Iterable[Row]], str]], ...] = (
    ("Training", "training", training),
    ("Augmentation", "augmentation", in_turns("batch")),
    ("Preparation", "preparation", in_turns("case")),
    ("Prediction of a volume", "prediction", in_turns("volume")),
    ("Commands", "commands", commands),
    ("Ten thousand runs", "many runs", _many),
)


def _peers(rows: Iterable[Row]) -> list[str]:
    """Libraries of any row, installed or not, in a fixed order."""
    named = {name for row in rows for name in (*row["extra_info"]["turns"], *row["extra_info"]["absent"])}
    return [name for name in ("monai", "torchio") if name in named]


def _absent(rows: Sequence[Row]) -> str:
    names = dict.fromkeys(NAMES[name] for row in rows for name in row["extra_info"]["absent"])
    return f"\n\nNot installed: {', '.join(names)}." if names else ""


def _median(turns: Sequence[Row], figure: str) -> float:
    return statistics.median(turn[figure] for turn in turns)


def _ratio(turns: Mapping[str, Sequence[Row]], other: str) -> float:
    """How many times as fast as `other`: the median over rounds."""
    pairs = zip(turns[other], turns["harness"], strict=True)
    return statistics.median(theirs["seconds"] / ours["seconds"] for theirs, ours in pairs)


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/benchmarks.md.")
    parser.add_argument("files", nargs="+", type=Path, help="JSON of pytest-benchmark, a machine each")
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    args = parser.parse_args()
    args.output.write_text(page([json.loads(file.read_text()) for file in args.files]))


if __name__ == "__main__":
    main()
