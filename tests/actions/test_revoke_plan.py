"""What `revoke --dry-run` says, and that looking leaves nothing behind. On a cell: `test_operator_commands.py`, and
`tests/credential/test_revoking_tokens.py` for a tenant without a key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops import journal as journals
from ops.actions import revoke_plan
from ops.actions.credential import TO_KEY, TO_TOKENS, TOKENS
from ops.actions.end_keys import Beyond, Seen
from ops.actions.revoke_plan import Planned
from ops.errors import OperationError
from ops.journal import Journal
from tenancy import Cell, Fleet, Tenant
from tests.actions.test_credential_plan import tenant as keyless

SEEN = Seen("active", "key_live", ("key_old",), ("key_theirs",))


@pytest.fixture
def tenant(fleet: Fleet) -> Tenant:
    return fleet.tenants["acme"]


@pytest.fixture
def stopped(tmp_path: Path, small_cell: Cell) -> Journal:
    return journals.begin(tmp_path, "revoke", small_cell, ["acme"], "leak")


def of_tokens(
    cell: Cell, tenant: Tenant, seen: Seen, *, enabled: bool = True, stopped: Journal | None = None
) -> Planned:
    return revoke_plan.of_tokens(cell, tenant, seen, denied=False, enabled=enabled, stopped=stopped, first="sessions")


def test_each_key_that_would_end_is_named_and_each_that_would_not_with_its_reason(tenant: Tenant) -> None:
    customers = Beyond("key_before", ("v0",), None, customers=True)
    planned = revoke_plan.of_keys(tenant, replace(SEEN, beyond=(customers,)), opened=True, stopped=None)
    assert planned.steps == [
        "deny reads of its secret",
        "revoke 2 keys at OpenAI: key_live, key_old",
        "rotate its secret: make a new key",
        "check at OpenAI that the new key is the only valid one of the tenant",
        "allow reads again",
    ]
    assert [one.split(" ")[0].rstrip(":") for one in planned.kept] == ["key_theirs", "key_before"]
    assert "ask them to revoke it" in planned.kept[1]
    assert (planned.stopped, planned.next) == (None, "")
    told = revoke_plan.valid_now(planned.valid)
    assert told == "Valid at OpenAI now: key_live (current), key_old, key_theirs, key_before."


def test_a_tenant_that_is_disabled_stays_so_and_what_was_not_seen_is_said(tenant: Tenant) -> None:
    disabled = tenant.model_copy(update={"enabled": False})
    seen = Seen(None, None, unseen="the secret's deletion is scheduled, so its keys cannot be read")
    steps = revoke_plan.of_keys(disabled, seen, opened=False, stopped=None).steps
    assert "denied, as they are already" in steps[0]
    assert "it lists none" in steps[1]
    assert "enabled: false" in steps[-1]
    assert revoke_plan.valid_now(seen) == (
        "Valid at OpenAI now: no key. Not seen: the secret's deletion is scheduled, so its keys cannot be read."
    )


@pytest.mark.parametrize(
    ("done", "following"),
    [
        (["deny"], "kill"),
        (["deny", "kill"], "mint"),
        (["deny", "kill", "mint"], "enable"),
        (["deny", "kill", "mint", "enable"], "enable"),
    ],
)
def test_a_stopped_run_is_continued_from_its_first_step_that_is_not_done(
    tenant: Tenant, stopped: Journal, done: list[str], following: str
) -> None:
    stopped.done = done
    planned = revoke_plan.of_keys(tenant, Seen("active", "key_new"), opened=False, stopped=stopped)
    assert (planned.stopped, planned.next) == (stopped, following)
    assert ("the stopped run has done that" in planned.steps[1]) == ("kill" in done)
    assert ("the stopped run has made one" in planned.steps[2]) == ("mint" in done)


@pytest.mark.parametrize("seen", [Seen("active", "key_new", ("key_late",)), Seen("active", None)])
def test_a_continued_run_that_would_stop_at_its_check_is_promised_no_open_door(
    tenant: Tenant, stopped: Journal, seen: Seen
) -> None:
    """Revoking is done already, so the run cannot end a key that came since: it stops, and the one after it does."""
    stopped.done = ["deny", "kill", "mint"]
    assert "stop there with reads denied" in revoke_plan.of_keys(tenant, seen, opened=False, stopped=stopped).steps[3]
    stopped.done = ["deny", "kill"]
    steps = revoke_plan.of_keys(tenant, seen, opened=False, stopped=stopped).steps
    assert "stop there" not in steps[3], "the key that is valid may be the one that is being made"


def test_of_a_tenant_without_a_key_the_rule_is_named_and_a_second_one_is_no_promise(small_cell: Cell) -> None:
    bay = keyless(TOKENS)
    planned = of_tokens(small_cell, bay, Seen("active", None, rules=("rule_1",)))
    assert len(planned.steps) == 5
    assert "deny every session" in planned.steps[0]
    assert "federation rule rule_1 is deleted. A token that is out lives up to 15 minutes more" in planned.steps[1]
    assert "a new federation rule" in planned.steps[2]
    assert "a token is accepted" in planned.steps[-1]
    two = of_tokens(small_cell, bay, Seen("active", None, rules=("rule_1", "rule_2"))).steps[1]
    assert "rule_1, rule_2: it stops here, with sessions denied, if its stack did not make one of them" in two
    assert revoke_plan.valid_now(planned.valid) == "Valid at OpenAI now: no key; federation rules: rule_1."
    closed = of_tokens(small_cell, bay, planned.valid, enabled=False).steps
    assert len(closed) == 4
    assert "without a rule" in closed[-1]


def test_while_it_is_switched_its_keys_are_named_too_and_a_key_beside_a_tenant_without_one_is_told(
    small_cell: Cell, stopped: Journal
) -> None:
    seen = Seen("active", "key_1", rules=("rule_1",))
    assert "key_1; make none" in of_tokens(small_cell, keyless(TO_TOKENS), seen).steps[2]
    to_key = of_tokens(small_cell, keyless(TO_KEY), seen)
    assert "key_1; make a new one" in to_key.steps[2]
    assert "a key is accepted" in to_key.steps[-1]
    stopped.done = ["sessions", "rule", "deny", "kill"]
    again = of_tokens(small_cell, keyless(TO_KEY), seen, stopped=stopped)
    assert "the stopped run has done that; make a new one" in again.steps[2]
    assert again.next == "sessions", "each run begins with the door"
    left = of_tokens(small_cell, keyless(TOKENS), replace(seen, current=None, others=("key_1",)))
    assert not any("key_1" in step for step in left.steps), "the revocation does not touch it"
    assert "key_1: the tenant has no key by its file" in left.kept[0]


def test_looking_makes_no_lock_and_is_refused_while_a_revocation_runs(
    small_cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(journals.STATE, str(tmp_path / "state"))
    journals.refuse_second_run(small_cell, "revoke-acme")
    assert not (tmp_path / "state").exists(), "not even a folder"
    with journals.exclusive_run(small_cell, "revoke-acme"), pytest.raises(OperationError, match="only one may run"):
        journals.refuse_second_run(small_cell, "revoke-acme")
    journals.refuse_second_run(small_cell, "revoke-acme")
    with journals.exclusive_run(small_cell, "revoke-acme"):
        pass
