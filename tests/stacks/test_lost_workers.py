"""What a worker that was lost leaves behind: whose lock it is, and what its half-done resources become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ops import state_place
from ops.errors import OperationError
from ops.review.rehearsal import rehearse
from ops.stacks import backend, lock_holder, sources
from ops.stacks.job import Job
from ops.stacks.lock_holder import Lock, Note, provably_ended
from ops.stacks.pending import mend
from ops.stacks.work import work
from ops.stacks.workspace import pulumi_command
from tenancy.loading import ROOT

LOST = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from ops.stacks import lock_holder
lock_holder.begin(Path(sys.argv[1]), "acme.local")
os._exit(9)
"""
LOCK = Lock("lock.json", "ops", "here", 4711, since=1000.0)
NOTE = Note("acme.local", "this boot", 42, since=990.0)


@pytest.mark.parametrize(
    ("note", "machine", "host", "began", "gone", "why"),
    [
        (NOTE, "this boot", "here", None, True, "ours, and no such process lives"),
        (NOTE, "this boot", "here", 1500.0, True, "the id belongs to a younger process now"),
        (NOTE, "this boot", "here", 995.0, False, "it lives"),
        (None, "this boot", "here", None, False, "another machine may have this host's name"),
        (NOTE, "another boot", "here", None, False, "ids of another boot say nothing here"),
        (NOTE, None, "here", None, False, "a machine that can't tell itself apart proves nothing"),
        (NOTE, "this boot", "there", None, False, "the lock is of another host"),
        (Note("acme.local", "this boot", 42, since=2000.0), "this boot", "here", None, False, "older than our worker"),
    ],
)
def test_a_lock_is_taken_away_only_where_its_holder_is_provably_ended(
    note: Note | None, machine: str | None, host: str, began: float | None, gone: bool, why: str
) -> None:
    assert provably_ended(LOCK, note, machine, host, began) is gone, why


def test_a_worker_leaves_a_note_and_the_next_one_learns_that_it_was_lost(tmp_path: Path) -> None:
    assert lock_holder.begin(tmp_path, "acme.local") is None
    assert lock_holder.begin(tmp_path, "acme.local") is None, "somebody is at work there: that one is not lost"
    lock_holder.end(tmp_path, "acme.local")
    subprocess.run([sys.executable, "-c", LOST, str(tmp_path)], check=False, cwd=ROOT)
    lost = lock_holder.begin(tmp_path, "acme.local")
    assert lost is not None
    assert lost.machine == lock_holder.this_machine()
    lock_holder.end(tmp_path, "acme.local")
    assert lock_holder.begin(tmp_path, "acme.local") is None, "what came to its end is not lost"


def test_a_process_that_lives_and_one_that_does_not_are_told_apart() -> None:
    began = lock_holder.process_began(os.getpid())
    assert began is not None
    with subprocess.Popen(["true"]) as short:
        short.wait()
        assert lock_holder.process_began(short.pid) is None


def test_locks_and_stacks_are_read_where_the_engine_keeps_them(tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    assert backend.stacks(url) == set()
    stacks = tmp_path / ".pulumi" / "stacks" / "myflux-keys"
    locks = tmp_path / ".pulumi" / "locks" / "organization" / "myflux-keys" / "acme.local"
    stacks.mkdir(parents=True)
    locks.mkdir(parents=True)
    for name in ("acme.local.json", "acme.local.json.bak", "local.json.gz"):
        (stacks / name).touch()
    content = {"pid": 7, "username": "ops", "hostname": "here", "timestamp": "2026-11-26T09:00:00.123456789Z"}
    (locks / "one.json").write_text(json.dumps(content), encoding="utf-8")
    assert backend.stacks(url) == {"acme.local", "local"}
    assert [backend.has(url, stack) for stack in ("acme.local", "local", "acme", "fjord.local")] == [
        True,
        True,
        False,
        False,
    ]
    assert backend.has("https://api.pulumi.com", "local") is None, "only the engine can read it"
    (held,) = backend.locks(url, "acme.local")
    assert str(held).startswith("ops@here, process 7, since ")
    assert backend.locks(url, "fjord.local") == []
    backend.unlock(url, held)
    backend.unlock(url, held)
    assert backend.locks(url, "acme.local") == []


@pytest.mark.parametrize("content", ['{"pid": 7, "userna', "{}", "[]", '{"pid": "x", "timestamp": "today"}'])
def test_a_lock_that_was_cut_short_is_named_with_the_way_to_remove_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / ".pulumi" / "locks" / "organization" / "myflux-keys" / "acme.local" / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(OperationError) as refused:
        backend.locks(f"file://{tmp_path}", "acme.local")
    assert str(path) in str(refused.value)
    assert "pulumi cancel --yes --stack acme.local" in str(refused.value)
    assert path.exists(), "nobody knows whose it is, so nobody here removes it"


def test_a_folder_whose_name_an_address_must_quote_is_the_same_for_all(tmp_path: Path) -> None:
    folder = tmp_path / "s%20p #1?"
    url = f"file://{quote(str(folder))}"
    assert state_place.place(url).root == str(folder)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"PATH": "/proc/nope"}, "`pulumi` is not on PATH"),
        ({"MYFLUX_STATE": "/proc/nope/records"}, "set MYFLUX_STATE to another folder"),
    ],
)
def test_what_a_workers_machine_refuses_is_its_stacks_outcome(
    variables: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        {"MYFLUX_STATE": str(tmp_path), "PULUMI_BACKEND_URL": f"file://{tmp_path}"} | variables
    ).items():
        monkeypatch.setenv(name, value)
    # An earlier test of this process may have found the engine.
    pulumi_command.cache_clear()
    code = sources.fingerprint("acme.local", ROOT, sources.code_digest())
    done = work(Job("up", "acme.local", code), ROOT)
    assert told in done.problem
    assert not done.ok


def test_an_error_that_nobody_foresaw_is_its_stacks_outcome_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(sources, "fingerprint", broken)
    assert work(Job("up", "acme.local", "")).problem == "its worker failed: KeyError: 'a fault of ours'"


def test_a_run_without_a_backend_says_what_to_set() -> None:
    with pytest.raises(OperationError, match="PULUMI_BACKEND_URL is not set"):
        state_place.of(None, {})
    placed = state_place.place("s3://bucket/some/where?endpoint=127.0.0.1:1&disableSSL=true&region=us-east-1")
    assert (placed.root, placed.prefix) == ("bucket", "some/where")
    assert placed.options["disablessl"] == "true", "as the engine reads it, whatever the case"


def operation(kind: str, type_: str, resource: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:acme.local::myflux-keys::{type_}::{resource}"
    return {"type": kind, "resource": {"urn": urn, "type": type_, "custom": True, "inputs": inputs}}


def in_aws(kind: str, inputs: Mapping[str, Any]) -> str | None:
    return f"arn of {inputs['name']}" if inputs["name"] == "there" else None


SECRET = "aws:secretsmanager/secret:Secret"
FEDERATION = "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation"


def test_a_creation_that_aws_has_becomes_a_resource_and_one_that_it_has_not_is_made_again() -> None:
    deployment = {
        "resources": [{"urn": "stack"}],
        "pending_operations": [
            operation("creating", SECRET, "a", name="there"),
            operation("creating", SECRET, "b", name="never made"),
            operation("creating", "aws:lambda/invocation:Invocation", "c"),
            operation("updating", SECRET, "d", name="there"),
        ],
    }
    mended = mend(deployment, in_aws)
    assert mended.deployment is not None
    stack, secret = mended.deployment["resources"]
    assert stack == {"urn": "stack"}, "what was there stays as it was"
    assert secret["id"] == "arn of there"
    assert [urn.rpartition("::")[2] for urn in mended.again] == ["b", "c"]
    (left,) = mended.deployment["pending_operations"]
    assert left["type"] == "updating", "the engine reads these back itself"
    assert len(deployment["resources"]) == 1, "the state as it was is not touched"


def test_a_creation_that_cannot_be_found_by_name_is_told_and_kept() -> None:
    deployment = {"resources": [], "pending_operations": [operation("creating", "aws:kms/key:Key", "key")]}
    mended = mend(deployment, in_aws)
    assert mended.deployment is None, "nothing is dropped"
    assert [urn.rpartition("::")[2] for urn in mended.unknown] == ["key"]


@pytest.mark.parametrize("stack", ["local", "acme.local", "globex.local", "initech.local"])
def test_every_resource_of_the_program_but_two_kinds_is_made_again_or_found(stack: str) -> None:
    """A new kind that nobody listed would leave a stack to a person, whenever a kill meets its creation."""
    made = [one for one in rehearse(stack) if one.custom and not one.type.startswith("pulumi:")]
    for one in made:
        pending = {"type": "creating", "resource": {"urn": one.urn, "type": one.type, "custom": True, "inputs": {}}}
        mended = mend({"resources": [], "pending_operations": [pending]}, lambda kind, inputs: "found")
        by_hand = one.type in ("aws:kms/key:Key", "aws:lambda/permission:Permission")
        assert bool(mended.unknown) == by_hand, one.type


def test_a_federation_that_a_killed_engine_enabled_is_found_by_the_account() -> None:
    """Made again, it would fail: it is enabled already."""
    made = operation("creating", FEDERATION, "cell-federation")
    mended = mend(
        {"resources": [], "pending_operations": [made]}, lambda kind, _: "1" * 12 if kind == FEDERATION else None
    )
    assert mended.deployment is not None
    assert [one["id"] for one in mended.deployment["resources"]] == ["1" * 12]


def test_a_state_with_nothing_pending_is_left_alone() -> None:
    assert mend({"resources": [{"urn": "stack"}]}, in_aws).deployment is None
