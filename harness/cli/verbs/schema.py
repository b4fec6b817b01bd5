"""``harness schema``: the JSON schema of harness.toml."""

from __future__ import annotations

import argparse
import json

NAME = "schema"
SUMMARY = "print the JSON schema of harness.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only ``--json``, which every verb has; the schema is JSON in any case."""
    parser.add_argument("--json", action="store_true", help="no effect: the schema is JSON")


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    from harness.config.settings import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
