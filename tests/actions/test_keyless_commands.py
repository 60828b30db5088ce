"""Commands about keys, asked for a tenant that gets tokens: each refuses in one sentence with the way out, and calls
nothing of AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tenancy
from components.iam.denied_sessions import ALL
from ops import selection
from ops.actions import (
    read_reports,
    run_adopt,
    run_connect,
    run_handover,
    run_move,
    store_keys,
    verify,
    verify_access,
    verify_openai,
)
from ops.actions.credential import TO_KEY, TO_TOKENS, TOKENS
from ops.actions.end_keys import Seen
from ops.actions.offboard import plan
from ops.actions.orphans import Sides, compared, from_answer, sides
from ops.actions.run_handover import Asked, Talk
from ops.actions.status import tenant_status
from ops.errors import OperationError
from tests.actions.test_credential_plan import tenant
from tests.tenancy.files import Files

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LOCAL = tenancy.load(Path(__file__).resolve().parents[2]).cells["local"]


@pytest.fixture
def keyless(tmp_path: Path) -> Path:
    """A fleet whose one tenant gets tokens."""
    Files(tmp_path).tenant()
    (cell,) = (tmp_path / "cells").glob("local.yaml")
    cell.write_text(cell.read_text() + "federation: {enabled: true}\n")
    (file,) = (tmp_path / "tenants").glob("*.yaml")
    file.write_text(file.read_text() + "credential: federated\n")
    return tmp_path


def _quiet(_: Any) -> None: ...


def _never(_: Any) -> str:
    raise AssertionError("a person was asked for what is of no use")


COMMANDS: dict[str, Callable[[Path, str], Any]] = {
    "rotate": lambda root, slug: selection.to_rotate(tenancy.load(root), [slug], everyone=False, cell=None),
    "handover": lambda root, slug: run_handover.run(root, Asked(slug, "cinnox"), Talk(_quiet, _never, _quiet)),
    "key set": lambda root, slug: store_keys.store_customer_key(root, slug, None, _never),
    "key status": lambda root, slug: store_keys.customer_key_statuses(root, [slug]),
    "connect": lambda root, slug: run_connect.make(root, slug, seconds=86_400, language="en"),
    "adopt": lambda root, slug: run_adopt.planned(root, slug),
    "move": lambda root, slug: run_move.prepare(root, slug, "local", "", report=_quiet),
    "history": lambda root, slug: read_reports.lives(root, slug),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_says_that_there_is_no_key_and_how_to_get_one(command: str, keyless: Path) -> None:
    (slug,) = tenancy.load(keyless).tenants
    with pytest.raises(OperationError) as refused:
        COMMANDS[command](keyless, slug)
    assert f"`myflux-keys credential {slug} --key` gives it a key" in str(refused.value)


@pytest.mark.parametrize("command", ["handover", "key set", "connect", "adopt", "move"])
@pytest.mark.parametrize(("name", "before"), [TO_TOKENS, TO_KEY])
def test_nor_while_it_is_being_switched(command: str, name: str, before: str, keyless: Path) -> None:
    """Though it has a key then too."""
    (slug,) = tenancy.load(keyless).tenants
    (file,) = (keyless / "tenants").glob("*.yaml")
    file.write_text(file.read_text().replace("federated\n", f"{name}\nswitching_from: {before}\n"))
    with pytest.raises(OperationError, match=r"is being switched \(`credential` in its file\)"):
        COMMANDS[command](keyless, slug)


def test_an_off_boarding_says_what_ends_at_openai(keyless: Path) -> None:
    fleet = tenancy.load(keyless)
    (slug,) = fleet.tenants
    steps = " ".join(plan(fleet.cells["local"], fleet.tenants[slug], leaves=True))
    for told in ("sessions in IAM", "its federation rule is deleted first", f"project myflux-local-{slug} is archived"):
        assert told in steps
    assert "secret" not in steps


@pytest.mark.parametrize(
    ("before", "state", "told"),
    [
        (None, "ok", "none is denied"),
        (NOW - timedelta(minutes=9), "ok", "that began before 2026-11-29 23:51:00Z are denied"),
        (NOW - timedelta(hours=2), "ok", "have ended"),
        (ALL, "wrong", "every one is denied: a revocation was stopped"),
    ],
)
def test_verify_shows_which_sessions_are_denied(before: datetime | None, state: str, told: str) -> None:
    found = verify_access.sessions(tenant(TOKENS), "the-role", before, NOW)
    assert (found.state, told in found.answer) == (state, True), found
    assert found.mend == ("" if state == "ok" else "myflux-keys revoke bay")


def test_verify_of_a_disabled_tenant_wants_neither_rule_nor_key() -> None:
    """It has no identity, so the sweep of one that is enabled does not know it."""
    cell, off = LOCAL, tenant(TOKENS).model_copy(update={"enabled": False})
    well = verify_openai.closed(cell, off, Seen("active", None, rules=()))
    assert [(one.step, one.state) for one in well] == [("federation rule", "ok"), ("keys at OpenAI", "ok")]
    rule, keys = verify_openai.closed(cell, off, Seen("active", None, ("key_1",), ("key_2",), rules=("wifr_1",)))
    assert (rule.state, "wifr_1" in rule.answer, rule.mend) == ("wrong", True, "myflux-keys up bay")
    assert (keys.state, keys.mend) == ("wrong", "myflux-keys up bay --refresh")
    assert "key_1, key_2" in keys.answer
    for phase in (TO_TOKENS, TO_KEY):
        switched = tenant(phase).model_copy(update={"enabled": False})
        (only,) = verify_openai.closed(cell, switched, Seen("active", "key_1", rules=()))
        assert (only.step, only.state) == ("federation rule", "ok"), "its key is judged by its secret"


def test_status_shows_tokens_and_no_orphan_whether_its_secret_is_gone_or_going(keyless: Path) -> None:
    fleet = tenancy.load(keyless)
    (slug,) = fleet.tenants
    line = tenant_status(slug, fleet.tenants[slug], None, None, NOW)
    assert (line.state, line.readable) == ("tokens", None)
    sides = Sides(fleet.cells["local"], [slug], {}, {slug}, (), NOW, [slug])
    assert compared(sides) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("credential: federated\n", "up {} --refresh"),
        ("credential: federated\nswitching_from: key\n", "up {} --refresh"),
        ("credential: key\nswitching_from: federated\n", "credential {} --key"),
        ("credential: federated\nenabled: false\n", "delete it on OpenAI's site"),
        ("", "delete it on OpenAI's site"),
    ],
)
def test_a_rule_that_is_left_is_mended_by_what_the_tenants_file_says(keyless: Path, fields: str, told: str) -> None:
    """No stack of a tenant whose file wants no rule would touch one that was made by hand."""
    (file,) = (keyless / "tenants").glob("*.yaml")
    file.write_text(file.read_text().replace("credential: federated\n", fields))
    fleet = tenancy.load(keyless)
    (slug,) = fleet.tenants
    none = SimpleNamespace(paginate=lambda **_: [{"SecretList": []}])
    account: Any = SimpleNamespace(cell=fleet.cells["local"], secrets=SimpleNamespace(get_paginator=lambda _: none))
    entry = {"tenant": slug, "kind": "FederationLeft", "reason": "a rule", "deletion": None, "keys": []}
    assert told.format(slug) in from_answer(entry, sides(account, fleet, {slug}, NOW)).way_out


def test_verify_wants_no_secret() -> None:
    found = [verify.no_secret(tenant(TOKENS), "a-secret", one) for one in (None, {"DeletedDate": NOW}, {"ARN": "arn"})]
    assert [one.state for one in found] == ["ok", "ok", "wrong"]
    assert found[2].mend == "myflux-keys credential bay --federated"


def test_while_it_is_switched_its_key_may_not_be_read() -> None:
    assert not tenant(TO_TOKENS).reads_key
    assert tenant().reads_key
