"""A lock without a worker's note: freed only where this machine alone can have made it and its process has ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ops.stacks import backend, lock_process, repairs
from ops.stacks.lock_holder import Lock, process_began
from tenancy.loading import ROOT

HERE = socket.gethostname()
ENDED = 4711
SINCE = 1_000_000.0


def lock(**fields: object) -> Lock:
    return Lock(**({"name": "one.json", "user": "ops", "host": HERE, "pid": ENDED, "since": SINCE} | fields))  # pyright: ignore[reportArgumentType]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A /proc: the first process namespace, a disk at /srv, a share at /srv/nfs, one process that is old."""
    proc = tmp_path / "proc"
    (proc / "self" / "ns").mkdir(parents=True)
    (proc / "self" / "ns" / "pid").symlink_to("pid:[4026531836]")
    mounts = [
        "1 0 8:1 / / rw - squashfs root ro",
        "2 1 8:2 / /srv rw shared:1 - ext4 /dev/sda2 rw",
        "3 2 0:9 / /srv/nfs rw - nfs4 there:/ rw",
    ]
    (proc / "self" / "mountinfo").write_text("\n".join(mounts))
    (proc / "uptime").write_text(f"{time.time() - SINCE + 500:.2f} 0")
    return proc


def running(proc: Path, pid: int, *ids: int, began: float) -> None:
    """`began` is in seconds after SINCE. `ids` are the process's ids, one for each namespace."""
    (proc / str(pid)).mkdir()
    ticks = int((500 + began) * os.sysconf("SC_CLK_TCK"))
    (proc / str(pid) / "stat").write_text(f"{pid} (pulumi) S " + "0 " * 18 + f"{ticks} 0")
    (proc / str(pid) / "status").write_text("Name:\tpulumi\nNSpid:\t" + "\t".join(map(str, ids)) + "\n")


def test_a_lock_in_a_folder_of_this_machine_whose_process_is_gone_has_no_holder(machine: Path) -> None:
    assert lock_process.has_ended(lock(), "file:///srv/state", machine)
    running(machine, ENDED, ENDED, began=100)
    assert lock_process.has_ended(lock(), "file:///srv/state", machine), "a younger process has its id now"


@pytest.mark.parametrize(
    ("url", "fields", "why"),
    [
        ("s3://bucket", {}, "another machine may have the name"),
        ("file:///srv/nfs/state", {}, "another machine writes there too"),
        ("file:///elsewhere", {}, "a file system that nobody knows"),
        ("file:///srv/state", {"host": "there"}, "it was made elsewhere"),
    ],
)
def test_what_another_machine_may_have_made_stays(machine: Path, url: str, fields: dict[str, object], why: str) -> None:
    assert not lock_process.has_ended(lock(**fields), url, machine), why


def test_a_process_in_a_container_of_this_machine_holds_its_lock(machine: Path) -> None:
    running(machine, 9001, 9001, ENDED, began=-50)
    assert not lock_process.has_ended(lock(), "file:///srv/state", machine), "there it has the id that the lock names"
    (machine / "self" / "ns" / "pid").unlink()
    (machine / "self" / "ns" / "pid").symlink_to("pid:[4026532000]")
    assert not lock_process.has_ended(lock(pid=1), "file:///srv/state", machine), "from inside one, others are not seen"


def test_the_engine_lock_of_a_killed_process_is_removed_and_the_operation_repeated(tmp_path: Path) -> None:
    """For the commands that run an engine themselves, such as `offboard`."""
    if not lock_process.sees_all():
        pytest.skip("this machine's other processes cannot be seen from a container")
    url = f"file://{tmp_path}"
    with subprocess.Popen(["sleep", "60"]) as holder:
        content = {"pid": holder.pid, "username": "ops", "hostname": HERE, "timestamp": "2099-11-26T09:00:00Z"}
        file = tmp_path / ".pulumi" / "locks" / "organization" / "myflux-keys" / "acme.local" / "one.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(content))
        file.with_name("one.json.attrs").write_text("{}")
        said = f"error: the stack is {backend.TAKEN} 1 lock(s)"
        assert not repairs.usable_again({"PULUMI_BACKEND_URL": url}, "acme.local", ROOT, said), "it runs"
        holder.kill()
        holder.wait()
    assert process_began(holder.pid) is None
    assert repairs.usable_again({"PULUMI_BACKEND_URL": url}, "acme.local", ROOT, said)
    assert list(file.parent.iterdir()) == []


def test_a_person_is_told_that_no_such_process_runs_where_that_is_no_proof() -> None:
    assert lock_process.is_missing_here(lock(pid=2**22 + 1))
    assert not lock_process.is_missing_here(lock(pid=os.getpid(), since=time.time()))
    assert not lock_process.is_missing_here(lock(host="there"))
