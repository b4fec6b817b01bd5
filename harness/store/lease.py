"""Leases: which process works on a folder, known from files alone, on file systems without locks.

A lease is a numbered file in the folder, ``.lease.000007``. The process that creates the next number
(create-exclusive, in which only one process succeeds) holds the folder; the file with the highest
number names the holder. The holder touches it every few seconds and checks for a higher number: if
there is one, another process considered the holder dead, and it has to stop.

A holder on the same machine is dead when its process is gone. One on another machine is dead when
its file was not touched for `TTL_S`, by the clock of the file system, which all machines share.

Leases rely on create-exclusive, rename over a file, and a listing that shows what another
machine created within `TTL_S`. On NFS these hold from version 3 on with attribute caching below
`TTL_S` (the default is 60 s at most; mount with ``actimeo=10`` or less to be safe).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.store.atomic import storage_errors, write_text

TTL_S = 90.0
"""A holder on another machine is considered dead after this long without a touch."""

RENEW_S = 10.0
"""A holder touches its file this often."""

_AGE_TOLERANCE_S = 10.0
"""Adjustments of the clock change the reported start time of a process by less than this."""


class Busy(HarnessError):
    """Another process works on this folder."""


@dataclass(frozen=True)
class Holder:
    """The process that wrote a lease. `machine` and `born` show whether it is alive; `host` is for users."""

    host: str
    pid: int
    machine: str
    born: float
    token: str
    free: bool = False


@dataclass(frozen=True)
class LeaseFile:
    """The lease with the highest number in a folder; `holder` is None while it is being written."""

    number: int
    path: Path
    holder: Holder | None


class Lease:
    """The right to work on `folder`, which must exist; `name` distinguishes the leases of one folder."""

    def __init__(self, folder: Path, name: str = "lease") -> None:
        self._folder = folder
        self._name = name

    def holder(self) -> Holder | None:
        """The process that holds the folder; None if there is none, or it has died."""
        highest = self._highest()
        if highest is None or not self._is_alive(highest):
            return None
        return highest.holder or Holder("?", 0, "", 0.0, "")

    @contextlib.contextmanager
    def held(self) -> Iterator[Held]:
        """Hold the folder; Busy at once if another process does."""
        held = self._take()
        stop = threading.Event()
        thread = threading.Thread(target=held.renew_until, args=(stop,), daemon=True, name="lease")
        thread.start()
        try:
            yield held
        finally:
            stop.set()
            thread.join()
            held.release()

    @contextlib.contextmanager
    def waited(self, poll_s: float = 0.2) -> Iterator[Held]:
        """Wait until no other process holds the folder, and hold it."""
        while True:
            with contextlib.suppress(Busy), contextlib.ExitStack() as stack:
                held = stack.enter_context(self.held())
                keep = stack.pop_all()
                break
            time.sleep(poll_s)
        with keep:
            yield held

    def _take(self) -> Held:
        highest = self._highest()
        if highest is not None and self._is_alive(highest):
            raise self._busy(highest.holder)
        number = 1 if highest is None else highest.number + 1
        path = self._folder / f".{self._name}.{number:06d}"
        holder = Holder(
            socket.gethostname(), os.getpid(), machine(), _born(os.getpid()) or 0.0, secrets.token_hex(8)
        )
        with storage_errors(path):
            try:
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            except FileExistsError:
                raise self._busy(None) from None
            with os.fdopen(handle, "w") as file:
                file.write(json.dumps(holder.__dict__))
        held = Held(path, holder, self)
        if held.lost:
            # Others took and released the next numbers while this process was suspended.
            path.unlink(missing_ok=True)
            raise self._busy(None)
        for old in self.files():
            if self.number(old) < number:
                old.unlink(missing_ok=True)
        return held

    def _busy(self, holder: Holder | None) -> Busy:
        by = f" (process {holder.pid} on {holder.host})" if holder else ""
        return Busy(f"is being worked on by another process{by}", where=self._folder.name)

    def _highest(self) -> LeaseFile | None:
        for path in sorted(self.files(), key=self.number, reverse=True):
            with contextlib.suppress(FileNotFoundError):
                return LeaseFile(self.number(path), path, _read(path))
        return None

    def files(self) -> list[Path]:
        """All lease files, old ones too."""
        pattern = re.compile(rf"\.{re.escape(self._name)}\.\d{{6,}}")
        try:
            return [path for path in self._folder.iterdir() if pattern.fullmatch(path.name)]
        except FileNotFoundError:
            return []

    @staticmethod
    def number(path: Path) -> int:
        """The number of a lease file."""
        return int(path.name.rpartition(".")[2])

    def _is_alive(self, lease: LeaseFile) -> bool:
        holder = lease.holder
        if holder is not None and holder.free:
            return False
        if holder is not None and holder.machine == machine():
            born = _born(holder.pid)
            return born is not None and abs(born - holder.born) < _AGE_TOLERANCE_S
        with contextlib.suppress(FileNotFoundError):
            return self._file_system_time() - lease.path.stat().st_mtime < TTL_S
        return False

    def _file_system_time(self) -> float:
        """Now, by the clock that dates the leases; clocks of two machines may differ.

        Where the folder can't be written to, such as on a read-only mount, it is this machine's clock.
        """
        probe = self._folder / f".clock.{secrets.token_hex(4)}.tmp"
        try:
            probe.touch()
        except OSError:
            return time.time()
        try:
            return probe.stat().st_mtime
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()


@dataclass(frozen=True)
class Held:
    """A lease that this process took."""

    path: Path
    holder: Holder
    lease: Lease

    @property
    def lost(self) -> bool:
        """True if another process considered this one dead and has taken the folder."""
        mine = Lease.number(self.path)
        return any(Lease.number(other) > mine for other in self.lease.files())

    def renew_until(self, stop: threading.Event) -> None:
        """Touch the file until `stop` is set, or the lease is lost."""
        while not stop.wait(RENEW_S):
            # The file system may be unavailable for a moment; the next touch may succeed.
            with contextlib.suppress(OSError):
                if self.lost:
                    return
                os.utime(self.path)

    def release(self) -> None:
        """Release the folder; the file stays, so that no number is used twice."""
        if not self.lost:
            write_text(self.path, json.dumps({**self.holder.__dict__, "free": True}))


def _read(path: Path) -> Holder | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text())
        return Holder(**value)
    except (ValueError, TypeError):
        return None


@functools.cache
def machine() -> str:
    """The scope in which process numbers are unique: host, boot and container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "|".join(parts)


def _born(pid: int) -> float | None:
    """When a process started, in seconds since the epoch; None if it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None
