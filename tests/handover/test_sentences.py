"""What the command says of people, devices and keys: pure, without AWS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.shared.handover import Handover, OldKey, Standing
from functions.shared.old_keys import Versions
from myflux_keys import names
from ops.actions import handover
from ops.actions.handover import HandoverRefused, Person
from ops.actions.handover_standing import Keys, old_of, sentences
from tenancy import Cell, Tenant, load
from tenancy.handover import Handover as People
from tests.tenancy.files import Files

HOUR = 3600
AT = 1_790_000_000
USER = "arn:aws:iam::000000000000:user/people/ana"
ROLE = "arn:aws:iam::000000000000:role/people/operators"
SESSION = "arn:aws:sts::000000000000:assumed-role/operators/ana@example.com"
RECORD = Handover("acme", "cinnox", "key_new", "v2", AT, AT, "ana")
OLD = OldKey("key_old", AT - 2 * HOUR, AT + 22 * HOUR, AT - 90)


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    Files(tmp_path).tenant()
    return load(tmp_path).tenants["acme"]


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    Files(tmp_path).tenant()
    found = load(tmp_path).cells["local"]
    return found.model_copy(update={"handover": People(principals=(USER, ROLE))})


def test_a_person_is_one_of_the_cells_users_or_a_session_of_one_of_its_roles(cell: Cell) -> None:
    assert handover.allowed(cell, USER) == Person("ana", USER, is_user=True)
    assert handover.allowed(cell, SESSION) == Person("ana@example.com", SESSION, is_user=False)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::000000000000:user/ana",
        "arn:aws:iam::000000000000:root",
        "arn:aws:sts::000000000000:assumed-role/others/ana",
        "arn:aws:sts::000000000000:federated-user/ana",
        ROLE,
    ],
)
def test_nobody_else_is(cell: Cell, arn: str) -> None:
    with pytest.raises(HandoverRefused, match=r"sign in as one of them\. Nothing was read\."):
        handover.allowed(cell, arn)


def test_a_roles_session_needs_no_device_and_may_name_none() -> None:
    nobody: Any = None
    person = Person("ana", SESSION, is_user=False)
    assert handover.mfa_device(nobody, person, None) is None
    with pytest.raises(HandoverRefused, match="leave out --mfa-serial, and begin that session with MFA"):
        handover.mfa_device(nobody, person, "arn:aws:iam::000000000000:mfa/ana")
    assert handover.mfa_device(nobody, Person("ana", USER, is_user=True), "GAHT12345678") == "GAHT12345678"


@pytest.mark.parametrize("given", ["123456", "my phone, the old one", "x" * 257])
def test_what_is_no_serial_number_is_refused_before_a_code_is_asked_for(given: str) -> None:
    nobody: Any = None
    with pytest.raises(HandoverRefused, match=r"is no serial number of an MFA device, such as arn:aws:iam::.*:mfa/"):
        handover.mfa_device(nobody, Person("ana", USER, is_user=True), given)


def entry(version: str, **changes: Any) -> dict[str, Any]:
    fields = {"key_id": f"key_{version}", "key_name": names.key_name("local", "acme", version)}
    return fields | {"expires_at": None, "last_used_at": None} | changes


def test_old_keys_are_the_valid_ones_that_were_live_before_the_previous_one_first() -> None:
    """As the sweep judges them, which extends the old key's life."""
    labels = {"v3": ("AWSCURRENT",), "v2": ("AWSPREVIOUS",), "v4": ("AWSPENDING",)}
    versions = Versions(labels, {"v0": 50.0, "v1": 100.0, "v2": 200.0, "v3": 300.0, "v4": 400.0})
    plan = [
        entry("v0", expires_at="1970-01-01T00:08:20Z"),
        entry("v1"),
        entry("v2", expires_at="1970-01-01T00:10:00Z", last_used_at="1970-01-01T00:05:00Z"),
        entry("v3"),
        entry("v4"),
        entry("never-live"),
        entry("v1", key_name="somebody's"),
    ]
    assert old_of(plan, "local", "acme", versions, now=500.0) == [
        OldKey("key_v2", 300.0, 600.0, 300.0),
        OldKey("key_v1", 200.0, None, None),
    ]


SAID: dict[str, tuple[Standing, Keys, str]] = {
    "rotated meanwhile": (Standing("due"), Keys([OLD]), "run `myflux-keys handover acme --consumer cinnox` again"),
    "customer's own": (Standing("unknown"), Keys(None), "Nobody can see when a customer's own key was used last"),
    "not looked at": (
        Standing("saved"),
        Keys(None, "OpenAI is busy."),
        "The old key was not looked at: OpenAI is busy.",
    ),
    "no old key": (Standing("done"), Keys([]), "No old key is left, so the hand-over is done."),
    "done": (Standing("done", old=OLD), Keys([OLD]), "It is unused since, so the hand-over is done."),
    "saved": (Standing("saved", old=OLD), Keys([OLD]), "it is extended, to 2026-09-28 12:13 UTC at the latest"),
    "never used": (
        Standing("saved", old=replace(OLD, last_used_at=None, expires_at=None)),
        Keys([OLD]),
        "The old key key_old was never used, and has no end of its own.",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_what_holds_is_said_after_what_was_recorded(tenant: Tenant, case: str) -> None:
    standing, keys, expected = SAID[case]
    first, *rest = sentences(tenant, RECORD, standing, keys)
    assert first.startswith("Recorded and read back: CINNOX has version v2 of acme's key since 2026-09-21 14:13 UTC")
    assert expected in " ".join(rest)
