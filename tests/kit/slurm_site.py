"""A Slurm of one node on loopback: Debian's munged, slurmctld and slurmd, with folders of their own."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

SETTINGS = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
MinJobAge=300
KillWait=5
OverTimeLimit=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} SocketsPerBoard=1 CoresPerSocket={cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm_site(folder: Path, cpus: int = 2) -> Iterator[Path]:
    """A running Slurm; gives its slurm.conf. pytest skips with the reason where it can't be had."""
    import pytest

    pytest.importorskip("submitit", reason="needs cardiac-harness[slurm]")
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    programs = {name: shutil.which(name, path=path) for name in PROGRAMS}
    missing = [name for name, found in programs.items() if found is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} (apt-get install slurmctld slurmd slurm-client munge)")
    if os.geteuid() != 0:
        pytest.skip("slurmd starts jobs for others: it needs root")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    folder.chmod(0o755)
    conf = folder / "slurm.conf"
    conf.write_text(
        SETTINGS.format(
            host=socket.gethostname(), controller=_port(), daemon=_port(), folder=folder, cpus=cpus
        )
    )
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(conf)
    started: list[subprocess.Popen[bytes]] = []
    try:
        munge = [str(programs["munged"]), "--foreground", "--force", f"--socket={folder}/munge.socket"]
        munge += [
            f"--{one}={folder}/munge.{one.split('-')[0]}" for one in ("key-file", "pid-file", "seed-file")
        ]
        started.append(_start([*munge, f"--log-file={folder}/munge.log"], folder / "munged.out"))
        _until(lambda: (folder / "munge.socket").exists(), "munged", folder)
        started.append(_start([str(programs["slurmctld"]), "-D", "-f", str(conf)], folder / "ctld.out"))
        started.append(_start([str(programs["slurmd"]), "-D", "-f", str(conf)], folder / "slurmd.out"))
        _until(lambda: "idle" in _said("sinfo", "--noheader", "--format=%T"), "Slurm", folder)
        yield conf
    finally:
        _said("scancel", "--user=root")
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _until(ready: "object", what: str, folder: Path) -> None:
    import pytest

    end = time.monotonic() + 30
    while time.monotonic() < end:
        if ready():  # type: ignore[operator]
            return
        time.sleep(0.2)
    logs = " / ".join(
        line
        for file in sorted(folder.glob("*.log"))
        for line in file.read_text(errors="replace").splitlines()[-3:]
    )
    pytest.skip(f"{what} does not start here: {logs}")


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
