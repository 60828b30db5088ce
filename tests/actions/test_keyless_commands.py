"""Commands about keys, asked for a tenant that gets tokens: each refuses in one sentence with the way out, and calls
nothing of AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tenancy
from ops import selection
from ops.actions import read_reports, run_adopt, run_move, run_revoke, verify
from ops.actions.credential import TO_TOKENS, TOKENS
from ops.actions.orphans import Sides, compared
from ops.actions.status import tenant_status
from ops.errors import OperationError
from tests.actions.test_credential_plan import tenant
from tests.tenancy.files import Files

NOW = datetime(2026, 11, 30, tzinfo=UTC)


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


COMMANDS: dict[str, Callable[[Path, str], Any]] = {
    "rotate": lambda root, slug: selection.to_rotate(tenancy.load(root), [slug], everyone=False, cell=None),
    "revoke": lambda root, slug: run_revoke.revoke(root, slug, "", confirmed=lambda: True, report=_quiet),
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


def test_a_revocation_says_what_ends_its_access_and_when_the_last_token_ends(keyless: Path) -> None:
    (slug,) = tenancy.load(keyless).tenants
    with pytest.raises(OperationError, match=f"`myflux-keys disable {slug}` deletes .* ends within 15 minutes"):
        COMMANDS["revoke"](keyless, slug)


def test_status_shows_tokens_and_no_orphan_whether_its_secret_is_gone_or_going(keyless: Path) -> None:
    fleet = tenancy.load(keyless)
    (slug,) = fleet.tenants
    line = tenant_status(slug, fleet.tenants[slug], None, None, NOW)
    assert (line.state, line.readable) == ("tokens", None)
    sides = Sides(fleet.cells["local"], [slug], {}, {slug}, (), NOW, [slug])
    assert compared(sides) == []


def test_verify_wants_no_secret() -> None:
    found = [verify.no_secret(tenant(TOKENS), "a-secret", one) for one in (None, {"DeletedDate": NOW}, {"ARN": "arn"})]
    assert [one.state for one in found] == ["ok", "ok", "wrong"]
    assert found[2].mend == "myflux-keys credential bay --federated"


def test_while_it_is_switched_its_key_may_not_be_read() -> None:
    assert not tenant(TO_TOKENS).reads_key
    assert tenant().reads_key
