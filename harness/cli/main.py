"""``harness VERB …``: parses the command line, calls the verb, turns errors into a line and an exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.cli.verbs import (
    cancel,
    compare,
    data,
    leaderboard,
    merge,
    plan,
    plugins,
    preflight,
    report,
    rescore,
    retry,
    run,
    schema,
    score,
    status,
    time,
    worker,
)
from harness.errors import INTERNAL, INTERRUPTED, OK, HarnessError

VERBS = (
    run,
    plan,
    status,
    retry,
    cancel,
    leaderboard,
    report,
    compare,
    score,
    rescore,
    merge,
    time,
    data,
    plugins,
    schema,
    worker,
    preflight,
)
"""Each has NAME, SUMMARY (None: not listed), add_arguments(parser) and run(args) -> exit code."""

DESCRIPTION = (
    "Benchmark cardiac MR segmentation models under one fixed protocol, with statistics a reviewer can check."
)

EPILOG = "exit codes: 0 ok, 1 a run or a check failed, 2 usage or data error, 3 interrupted, 4 internal error"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def make_parser(hidden: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the whole command line; `hidden` names verbs for other programs to include."""
    parser = argparse.ArgumentParser(prog="harness", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    shown = "{" + ",".join(verb.NAME for verb in VERBS if verb.SUMMARY) + "}"
    verbs = parser.add_subparsers(title="verbs", metavar=shown, required=True, dest="verb")
    for verb in VERBS:
        if not verb.SUMMARY and verb.NAME not in hidden:
            continue
        # A verb without a summary is for other programs; argparse lists only verbs with help.
        listed = {"help": verb.SUMMARY, "description": verb.SUMMARY} if verb.SUMMARY else {}
        sub = verbs.add_parser(verb.NAME, epilog=EPILOG, **listed)
        sub.add_argument(
            "-p",
            "--plugin",
            dest="plugin_files",
            metavar="FILE.py",
            type=Path,
            action="append",
            default=[],
            help="register the plugins in this file (repeatable)",
        )
        sub.add_argument(
            "--config",
            metavar="PATH",
            type=Path,
            help="harness.toml to use (default: the nearest one above this folder)",
        )
        sub.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
        verb.add_arguments(sub)
        sub.set_defaults(execute=verb.run)
    return parser


def _logged(text: str) -> str:
    """Write a traceback to a new file, and return a sentence that names the file."""
    try:
        handle, name = tempfile.mkstemp(prefix="harness-error-", suffix=".log")
        with os.fdopen(handle, "w") as file:
            file.write(text)
    except OSError:
        return "Use -v to see the traceback."
    return f"The traceback is in {name}."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (argparse itself exits with 2)."""
    argv = sys.argv[1:] if argv is None else argv
    args = make_parser(hidden=argv[:1]).parse_args(argv)
    # Treat SIGTERM as KeyboardInterrupt: workers stop, and checkpoints stay.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(args.execute(args))
    except KeyboardInterrupt:
        print("harness: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The program that reads the output (such as `head`) has ended; this is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        if args.verbose:
            traceback.print_exc()
        return error.exit_code
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"harness: internal error: {line}. {_logged(traceback.format_exc())}", file=sys.stderr)
        if args.verbose:
            traceback.print_exc()
        return INTERNAL
