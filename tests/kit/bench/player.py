"""``python -m bench.player TABLE WAY WORK``: work once for every line on stdin, answer on stdout."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(table: str, way: str, work: str) -> None:
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def wait() -> None:
        if not sys.stdin.readline():
            raise SystemExit

    def turn(figures: dict[str, Any]) -> None:
        answers.write(json.dumps({**figures, "device": device, "threads": threads}) + "\n")
        answers.flush()
        wait()

    wait()
    import torch

    from bench.contests import CONTESTS, device_name

    device, threads = device_name(), torch.get_num_threads()
    made, ways = CONTESTS[table]
    ways[way](made(**json.loads(work)), turn)


if __name__ == "__main__":
    main(*sys.argv[1:])
