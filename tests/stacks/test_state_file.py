"""A state that a kill or a full disk has cut short: what replaces it, and what a person is told where nothing can."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ops.errors import Unreadable
from ops.stacks import state_file

STACK = "acme.local"


def state(*pending: dict[str, Any]) -> bytes:
    latest = {"resources": [], "pending_operations": list(pending)}
    return json.dumps({"version": 3, "checkpoint": {"stack": STACK, "latest": latest}}).encode()


CREATING = {"type": "creating", "resource": {"urn": "a"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / ".pulumi" / "stacks" / "myflux-keys"
    found.mkdir(parents=True)
    return found


def url(folder: Path) -> str:
    return f"file://{folder.parents[2]}"


def test_a_whole_state_is_left_as_it_is(folder: Path) -> None:
    (folder / f"{STACK}.json").write_bytes(state())
    (folder / f"{STACK}.json.attrs").write_text("{}")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert state_file.opened(url(folder), STACK) == state_file.Opened()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert state_file.opened(url(folder), "new.local") == state_file.Opened()
    assert state_file.opened("https://api.pulumi.com", STACK) == state_file.Opened(), "only the engine can read it"


def test_what_an_engine_has_begun_and_not_ended_is_told(folder: Path) -> None:
    """Whoever freed the lock: a creation that the state only knows as begun may have been done."""
    (folder / f"{STACK}.json").write_bytes(state(CREATING))
    assert state_file.opened(url(folder), STACK) == state_file.Opened(cut_off=True)


def test_a_draft_of_a_killed_engine_is_removed_and_no_other_stacks(folder: Path) -> None:
    """A kill between the driver's first byte and its renaming leaves one; nobody would ever remove it."""
    (folder / f"{STACK}.json").write_bytes(state())
    drafts = [f"{STACK}.json.bak.18ecde50a2ead2f8.tmp", f"{STACK}.json.18ecde50a2ead2f9.tmp"]
    others = [f"x.{STACK}.json.18ecde50a2ead2f8.tmp", f"{STACK}.json.mine.tmp", "acmexlocal.json.18ecde50a2ead2f8.tmp"]
    for name in (*drafts, *others):
        (folder / name).write_bytes(b"")
    found = state_file.opened(url(folder), STACK)
    assert found.cut_off
    assert all(any(name in told for told in found.repaired) for name in drafts)
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{STACK}.json", *others])


def test_a_compressed_state_is_read_too(folder: Path) -> None:
    whole = gzip.compress(state())
    (folder / f"{STACK}.json.gz").write_bytes(whole[:-9])
    (folder / f"{STACK}.json.gz.bak").write_bytes(whole)
    assert state_file.opened(url(folder), STACK).cut_off
    assert (folder / f"{STACK}.json.gz").read_bytes() == whole


def test_what_is_left_of_a_damaged_state_is_kept_unless_it_is_nothing(folder: Path) -> None:
    file, backup = folder / f"{STACK}.json", folder / f"{STACK}.json.bak"
    backup.write_bytes(state(CREATING))
    file.write_bytes(b"")
    state_file.opened(url(folder), STACK)
    assert sorted(path.name for path in folder.iterdir()) == [file.name, backup.name]
    file.write_bytes(b'{"version": 3, "checkpoi')
    state_file.opened(url(folder), STACK)
    assert (folder / f"{STACK}.json.damaged").read_bytes() == b'{"version": 3, "checkpoi'
    assert file.read_bytes() == backup.read_bytes()


def test_a_state_that_never_had_a_resource_is_removed(folder: Path) -> None:
    (folder / f"{STACK}.json").write_bytes(b"")
    assert "before the stack had a resource" in state_file.opened(url(folder), STACK).repaired[0]
    assert list(folder.iterdir()) == []


def test_an_older_copy_is_a_persons_decision_and_the_command_is_told(folder: Path) -> None:
    """It does not know what later runs made."""
    file, backup = folder / f"{STACK}.json", folder / f"{STACK}.json.bak"
    file.write_bytes(b"{")
    backup.write_bytes(b"{")
    with pytest.raises(Unreadable, match="restore that file from a backup"):
        state_file.opened(url(folder), STACK)
    history = folder.parents[1] / "history" / "myflux-keys" / STACK
    history.mkdir(parents=True)
    (history / f"{STACK}-1764000000000000000.checkpoint.json").write_bytes(state())
    with pytest.raises(Unreadable) as told:
        state_file.opened(url(folder), STACK)
    assert f"`cp {history / f'{STACK}-1764000000000000000.checkpoint.json'} {file}`" in str(told.value)
    assert f"`pulumi refresh --stack {STACK}`" in str(told.value)
    assert file.read_bytes() == b"{", "nothing was changed"


def test_nothing_is_replaced_while_somebody_holds_the_lock(folder: Path) -> None:
    (folder / f"{STACK}.json").write_bytes(b"")
    (folder / f"{STACK}.json.bak").write_bytes(state())
    locks = folder.parents[1] / "locks" / "organization" / "myflux-keys" / STACK
    locks.mkdir(parents=True)
    held = {"pid": 7, "username": "ops", "hostname": "there", "timestamp": "2026-11-26T09:00:00Z"}
    (locks / "one.json").write_text(json.dumps(held))
    with pytest.raises(Unreadable, match="locked by ops@there, process 7"):
        state_file.opened(url(folder), STACK)
    assert (folder / f"{STACK}.json").read_bytes() == b""
