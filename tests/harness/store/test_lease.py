"""Leases: one holder at a time, dead ones are followed, and those taken for dead find out."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.store import lease as module
from harness.store.lease import TTL_S, Busy, Held, Lease, machine

COUNT = """
import sys, time
from pathlib import Path
from harness.store.lease import Lease
folder = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with Lease(folder).waited(poll_s=0.001):
        counter = folder / "counter"
        value = int(counter.read_text())
        time.sleep(0.001)
        counter.write_text(str(value + 1))
"""


def test_who_may_only_look_sees_who_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only mount nothing can be written to ask the file system for its time."""
    abroad(tmp_path, 3, silent_s=1)

    def refuse(path: Path, *rest: object) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "touch", refuse)
    holder = Lease(tmp_path).holder()
    assert holder is not None
    assert holder.host == "node7"


def abroad(folder: Path, number: int, *, silent_s: float, pid: int = 1) -> Path:
    """A lease that a process of another machine touched `silent_s` ago."""
    path = folder / f".lease.{number:06d}"
    holder = {"host": "node7", "pid": pid, "machine": "node7|x", "born": 1.0, "token": "t", "free": False}
    path.write_text(json.dumps(holder))
    then = time.time() - silent_s
    os.utime(path, (then, then))
    return path


def take(folder: Path) -> Held:
    return Lease(folder)._take()


def test_processes_that_fight_for_a_lease_lose_no_update(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path), "25"]
    workers = [subprocess.Popen(command) for _ in range(4)]
    assert [worker.wait(120) for worker in workers] == [0] * 4
    assert (tmp_path / "counter").read_text() == "100"
    assert len(Lease(tmp_path).files()) == 1, "old leases are swept"


def test_a_holder_elsewhere_that_touches_its_lease_is_left_alone(tmp_path: Path) -> None:
    abroad(tmp_path, 3, silent_s=TTL_S / 2)
    found = Lease(tmp_path).holder()
    assert found is not None
    assert (found.host, found.pid) == ("node7", 1)
    with pytest.raises(Busy, match="process 1 on node7"), Lease(tmp_path).held():
        pass


def test_a_silent_holder_elsewhere_is_followed_and_finds_out(tmp_path: Path) -> None:
    path = abroad(tmp_path, 3, silent_s=TTL_S + 5)
    dead = Held(path, module._read(path), Lease(tmp_path))
    assert not dead.lost
    assert Lease(tmp_path).holder() is None
    with Lease(tmp_path).held() as held:
        assert held.path.name == ".lease.000004"
        assert dead.lost
        dead.release()
        assert Lease(tmp_path).holder() is not None, "who was followed frees nothing"
    assert Lease(tmp_path).holder() is None


def test_of_many_that_follow_a_dead_holder_one_gets_the_lease(tmp_path: Path) -> None:
    abroad(tmp_path, 1, silent_s=TTL_S + 5)
    gate, got = threading.Barrier(8), []

    def follow() -> None:
        gate.wait()
        with contextlib.suppress(Busy):
            got.append(take(tmp_path))

    threads = [threading.Thread(target=follow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_who_looked_away_while_others_came_and_went_does_not_take_an_old_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abroad(tmp_path, 1, silent_s=TTL_S + 5)
    late = Lease(tmp_path)
    seen = late._highest()
    with Lease(tmp_path).held():
        pass
    second = take(tmp_path)
    assert second.path.name == ".lease.000003"
    monkeypatch.setattr(late, "_highest", lambda: seen)
    with pytest.raises(Busy):
        late._take()
    assert not second.lost


def test_a_process_number_that_was_given_again_is_not_the_holder(tmp_path: Path) -> None:
    path = abroad(tmp_path, 1, silent_s=0, pid=os.getpid())
    holder = json.loads(path.read_text())
    path.write_text(json.dumps({**holder, "machine": machine(), "born": 1.0}))
    assert Lease(tmp_path).holder() is None


def test_a_dead_child_that_nobody_buried_holds_nothing(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from harness.store.lease import Lease; "
    script += "Lease(Path(sys.argv[1]))._take()"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Lease(tmp_path).holder() is None


def test_a_torn_lease_counts_until_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / ".lease.000001"
    path.touch()
    assert Lease(tmp_path).holder() is not None
    then = time.time() - TTL_S - 5
    os.utime(path, (then, then))
    assert Lease(tmp_path).holder() is None


def test_a_holder_touches_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.005)
    with Lease(tmp_path).held() as held:
        os.utime(held.path, (1, 1))
        deadline = time.monotonic() + 10
        while held.path.stat().st_mtime == 1 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert held.path.stat().st_mtime > 1


def test_two_rights_of_one_folder_are_apart(tmp_path: Path) -> None:
    with Lease(tmp_path, "a").held(), Lease(tmp_path, "a-b").held():
        assert Lease(tmp_path, "a").holder() is not None
        with pytest.raises(Busy):
            Lease(tmp_path, "a")._take()
