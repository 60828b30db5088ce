"""A revocation of a tenant that gets tokens: shut first, opened last, and stopped anywhere nothing from before gets a
token."""

# ruff: noqa: N803 - boto3's own names of arguments
from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam.denied_sessions import ALL, POLICY, changed
from components.iam.identity import runtime_read
from ops import journal as journals
from ops.actions.credential import TO_KEY, TO_TOKENS, TOKENS, Phase
from ops.actions.end_keys import Killed, Seen
from ops.actions.revoke import continues
from ops.actions.revoke_tokens import RevokedTokens, RevokeTokens
from ops.actions.session_access import SessionAccess, denied_tenants
from ops.errors import OperationError
from tenancy import Cell
from tenancy.federation import Federation
from tests.actions.stand_ins import Clock
from tests.actions.test_credential_plan import tenant


class Roles:
    """IAM with the runtime role alone. `lost`: somebody else's write comes right after each. `refuses`: to write, as to
    a pipeline that deploys tenants."""

    def __init__(self, cell: Cell) -> None:
        self.arn = cell.names.runtime_role_arn
        self.inline: dict[str, Any] = {"read": runtime_read(cell.names, federation=True)}
        self.lost = False
        self.refuses = False

    def get_role(self, *, RoleName: str) -> Any:
        return {"Role": {"Arn": self.arn, "RoleName": RoleName}}

    def list_role_policies(self, *, RoleName: str) -> Any:
        return {"PolicyNames": sorted(self.inline)}

    def list_attached_role_policies(self, *, RoleName: str) -> Any:
        return {"AttachedPolicies": []}

    def get_role_policy(self, *, RoleName: str, PolicyName: str) -> Any:
        if PolicyName not in self.inline:
            raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "none"}}, "GetRolePolicy")
        return {"PolicyDocument": self.inline[PolicyName]}

    def put_role_policy(self, *, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:
        self._allowed("PutRolePolicy")
        if not self.lost:
            self.inline[PolicyName] = json.loads(PolicyDocument)

    def _allowed(self, action: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not yours"}}, action)

    def delete_role_policy(self, *, RoleName: str, PolicyName: str) -> None:
        self._allowed("DeleteRolePolicy")
        del self.inline[PolicyName]


@dataclass
class World:
    """`rules` are at OpenAI, `events` what happened in order; a stop comes after the event of that number."""

    roles: Roles
    sessions: SessionAccess
    clock: Clock
    rules: list[str] = field(default_factory=lambda: ["rule_1"])
    left: list[str] = field(default_factory=list[str])
    enabled: bool = True
    events: list[str] = field(default_factory=list[str])
    stop_at: int = 0
    keys: list[str] = field(default_factory=lambda: ["key_1"])

    def happened(self, what: str) -> None:
        self.events.append(what)
        self.clock.sleep(20)
        if len(self.events) == self.stop_at:
            raise KeyboardInterrupt

    def aws_now(self) -> datetime:
        return self.clock.moment()

    def close(self) -> None:
        assert self.sessions.denied_before() == ALL, "a new session would get a token from the rule that is still there"
        self.rules = list(self.left)
        self.happened("close")

    def open(self) -> bool:
        if self.enabled:
            self.rules = ["rule_2"]
            self.happened("open")
        return self.enabled

    def look_at_rules(self) -> Seen:
        return Seen("active", None, rules=tuple(self.rules))

    def end_keys(self) -> Killed:
        ended, self.keys = self.keys, []
        self.happened("end keys")
        return Killed(tuple(ended))

    def new_key(self) -> None:
        self.keys = ["key_2"]
        self.happened("new key")

    def look(self) -> Any:
        allowed = self.sessions.gets_token(self.clock.moment())
        cause = "ok" if allowed and self.rules else "refused"
        return {"asked_with": "key" if self.keys == ["key_2"] else "token", "list": {"cause": cause, "said": "no"}}

    def gets_token(self, begun: datetime) -> bool | None:
        return self.sessions.gets_token(begun) and bool(self.rules)


@pytest.fixture
def world(small_cell: Cell, clock: Clock) -> World:
    roles = Roles(small_cell)
    return World(roles, SessionAccess(roles, small_cell, "bay"), clock)  # pyright: ignore[reportArgumentType]


def revoked(world: World, cell: Cell, folder: Path, phase: Phase = TOKENS) -> RevokedTokens:
    journal = journals.unfinished(folder, "revoke", ["bay"]) or journals.begin(folder, "revoke", cell, ["bay"], "leak")
    told: list[str] = []
    return RevokeTokens(tenant(phase), journal, world.sessions, world, told.append, world.clock.waiting()).run()


def test_what_was_stolen_before_gets_nothing_and_what_begins_after_gets_tokens(
    world: World, small_cell: Cell, tmp_path: Path
) -> None:
    began = world.clock.moment()
    assert world.gets_token(began)
    done = revoked(world, small_cell, tmp_path)
    assert world.events == ["close", "open"]
    assert (world.gets_token(began), world.gets_token(world.clock.moment())) == (False, True)
    assert done.rule == "rule_2"
    gone = began + timedelta(seconds=20)
    assert done.tokens_end == gone + timedelta(minutes=15), "counted from when the rule was seen to be gone"


@pytest.mark.parametrize("stop_at", [1, 2])
def test_stopped_after_each_deployment_no_session_gets_a_token_and_the_same_command_ends_it(
    world: World, small_cell: Cell, tmp_path: Path, stop_at: int
) -> None:
    began = world.clock.moment()
    world.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        revoked(world, small_cell, tmp_path)
    assert not world.gets_token(began)
    assert not world.gets_token(world.clock.moment()), "not even one that begins now"
    done = revoked(world, small_cell, tmp_path)
    assert (done.rule, world.gets_token(began), world.gets_token(world.clock.moment())) == ("rule_2", False, True)


def test_a_rule_that_the_stack_did_not_make_keeps_the_door_shut_and_is_named(
    world: World, small_cell: Cell, tmp_path: Path
) -> None:
    world.left = ["rule_by_hand"]
    with pytest.raises(OperationError, match=r"rule_by_hand.*Delete it on OpenAI's site.*stay denied"):
        revoked(world, small_cell, tmp_path)
    assert world.sessions.denied_before() == ALL


def test_a_tenant_that_was_disabled_before_stays_so_and_no_denial_outlives_its_sessions(
    world: World, small_cell: Cell, tmp_path: Path
) -> None:
    world.enabled = False
    assert revoked(world, small_cell, tmp_path).rule is None
    assert (world.events, world.rules) == (["close"], [])
    assert world.sessions.denied_before() not in (None, ALL), "`enable` must let new sessions in"


def test_while_it_is_switched_its_keys_end_too(world: World, small_cell: Cell, tmp_path: Path) -> None:
    revoked(world, small_cell, tmp_path, TO_TOKENS)
    assert (world.events, world.keys) == (["close", "end keys", "open"], [])
    world.events.clear()
    revoked(world, small_cell, tmp_path, TO_KEY)
    assert (world.events, world.keys) == (["close", "new key", "open"], ["key_2"])


def test_somebody_elses_write_at_the_same_moment_is_noticed(world: World, small_cell: Cell, tmp_path: Path) -> None:
    world.roles.lost = True
    with pytest.raises(OperationError, match="somebody else changed it at the same time"):
        revoked(world, small_cell, tmp_path)
    assert world.rules == ["rule_1"]
    assert not (journals.unfinished(tmp_path, "revoke", ["bay"]) or pytest.fail("no record")).done


def test_so_many_denials_that_aws_takes_no_more_are_refused_with_the_way_out(world: World) -> None:
    now = world.clock.moment()
    many = {f"tenant-{number}": ALL for number in range(100)}
    held: Any = None
    for slug, before in many.items():
        held = changed(held, slug, before, now)
    world.roles.inline[POLICY] = held
    for refused in (world.sessions.deny, world.sessions.refuse_to_deny):
        with pytest.raises(OperationError, match=r"AWS takes 10240.*Revoke sessions.*Nothing was changed"):
            refused(now)
    assert world.roles.inline[POLICY] == held
    held = changed(held, "tenant-0", None, now)
    world.roles.inline[POLICY] = changed(held, "bay", ALL, now)
    world.sessions.refuse_to_deny(now)


def test_status_sees_who_is_denied_altogether_by_one_call_for_the_whole_cell(world: World, small_cell: Cell) -> None:
    with_tokens = small_cell.model_copy(update={"federation": Federation(enabled=True)})
    asked: list[str] = []

    class Counted(Roles):
        def get_role_policy(self, *, RoleName: str, PolicyName: str) -> Any:
            asked.append(PolicyName)
            return super().get_role_policy(RoleName=RoleName, PolicyName=PolicyName)

    roles: Any = Counted(small_cell)
    assert denied_tenants(roles, with_tokens) == frozenset(), "nobody was ever denied, so there is no policy"
    now = world.clock.moment()
    roles.inline[POLICY] = changed(changed(None, "bay", ALL, now), "cove", now, now)
    asked.clear()
    assert denied_tenants(roles, with_tokens) == {"bay"}, "sessions of cove that begin now are allowed"
    assert asked == [POLICY]
    assert denied_tenants(roles, small_cell) == frozenset()
    assert asked == [POLICY], "a cell where nobody gets tokens is not asked"


def test_a_stopped_one_goes_on_only_while_it_stayed_shut(world: World, small_cell: Cell, tmp_path: Path) -> None:
    journal = journals.begin(tmp_path, "revoke", small_cell, ["bay"], "leak")
    begun = datetime.fromisoformat(journal.begun)
    assert not continues(journal, opened=False, now=begun)
    journal.done = ["sessions"]
    assert continues(journal, opened=False, now=begun + timedelta(hours=2))
    assert not continues(journal, opened=True, now=begun + timedelta(hours=2)), "a session since may have leaked"
    assert not continues(journal, opened=False, now=begun + timedelta(days=2))
