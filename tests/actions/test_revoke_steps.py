"""A revocation: the door is shut first and opened last, and stopping anywhere leaves nothing open."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from components.iam.resource import tenant_secret
from ops import journal as journals
from ops.actions.access import Access, is_open, switched
from ops.actions.end_keys import Beyond, Killed, Seen, killed, seen
from ops.actions.revoke import Revoke, Revoked, consequences, continues, ready
from ops.cli.revoke import sentence
from ops.errors import OperationError
from ops.journal import Journal
from tenancy import Cell, Fleet, Tenant
from tests.actions.stand_ins import Clock, FakeAccount, FakeSecrets, Held
from tests.tenancy.files import Files


@pytest.fixture
def tenant(fleet: Fleet) -> Tenant:
    return fleet.tenants["acme"]


class World:
    """A tenant with one leaked key; `alive` are its keys at OpenAI, `events` what happened in order."""

    def __init__(self, cell: Cell, tenant: Tenant, secrets: FakeSecrets, folder: Path) -> None:
        names = cell.names.tenant(tenant.tenant)
        policy = tenant_secret(
            names, reader_role=cell.names.runtime_role_arn, writers=["w"], deployers=["d"], enabled=tenant.enabled
        )
        self.deployed = policy
        self.held = Held({"leaked": ["AWSCURRENT"]}, policy=json.dumps(policy))
        secrets.held[names.secret] = self.held
        self.secrets = secrets
        self.tenant = tenant
        self.cell = cell
        self.alive = {"key_leaked", "key_before"}
        self.events: list[str] = []
        self.told: list[str] = []
        self.stop_at = 0
        self.journal = journals.begin(folder, "revoke", cell, [tenant.tenant], "leak")
        self._watch("put_resource_policy")
        self._watch("rotate_secret")

    def _watch(self, name: str) -> None:
        original = getattr(self.secrets, name)

        def watched(**arguments: object) -> object:
            answer = original(**arguments)
            self._happened(name)
            return answer

        setattr(self.secrets, name, watched)

    def _happened(self, what: str) -> None:
        self.events.append(what)
        if len(self.events) == self.stop_at:
            raise KeyboardInterrupt

    def kill(self, tenant: str) -> Killed:
        assert tenant == self.tenant.tenant
        assert not self.open, "a key was killed while readers could still fetch it"
        found, self.alive = sorted(self.alive), set()
        self._happened("kill")
        return Killed(tuple(found))

    def look(self, tenant: str) -> Seen:
        assert tenant == self.tenant.tenant
        assert not self.open, "readers were let in before it was seen what lives"
        live = next(version for version, labels in self.held.stages.items() if "AWSCURRENT" in labels)
        return Seen("active", f"key_of_{live}", tuple(sorted(self.alive)))

    @property
    def open(self) -> bool:
        return is_open(json.loads(self.held.policy))

    def revoke(self, journal: Journal | None = None, kill: object = None) -> bool:
        return self.revoked(journal, kill).readable

    def revoked(self, journal: Journal | None = None, kill: object = None) -> Revoked:
        account = FakeAccount(self.cell, self.secrets)
        return Revoke(
            account,  # pyright: ignore[reportArgumentType]
            self.tenant,
            journal or self.journal,
            kill=kill or self.kill,  # pyright: ignore[reportArgumentType]
            look=self.look,
            report=self.told.append,
            waiting=self.secrets.clock.waiting(),
        ).run()


@pytest.fixture
def world(small_cell: Cell, tenant: Tenant, secrets: FakeSecrets, tmp_path: Path) -> World:
    return World(small_cell, tenant, secrets, tmp_path)


def test_the_door_is_shut_then_keys_die_then_a_new_one_is_made_then_it_opens(world: World) -> None:
    assert world.revoke()
    assert world.events == ["put_resource_policy", "kill", "rotate_secret", "put_resource_policy"]
    assert json.loads(world.held.policy) == world.deployed, "the next `pulumi up` would find drift"
    version = world.journal.entries["acme"].version
    assert "AWSCURRENT" in world.held.stages[version]


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_stopped_after_any_step_the_door_stays_shut_and_the_same_command_ends_it(world: World, stop_at: int) -> None:
    world.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        world.revoke()
    assert not world.open, "readers could fetch a leaked or dead key"
    again = journals.unfinished(world.journal.path.parent, "revoke", ["acme"])
    assert again is not None
    assert world.revoke(again)
    assert not world.alive
    assert world.open
    assert len(world.secrets.asked) == 1, "the new key was made once"


def test_a_key_that_openai_will_not_end_leaves_the_door_shut_and_is_named(world: World) -> None:
    with pytest.raises(OperationError, match=r"key_stubborn: 403 .*project myflux-local-acme") as refused:
        world.revoke(kill=lambda _: Killed((), {"key_stubborn": "403 not allowed"}))
    assert "Reads of acme stay denied" in str(refused.value)
    assert not world.open
    assert world.secrets.asked == [], "a new key next to a leaked one that lives would be no revocation"


def test_a_rotation_that_ran_already_is_waited_for_and_not_taken_for_the_new_key(world: World) -> None:
    world.held.stages["scheduled"] = ["AWSPENDING"]
    world.held.ready["scheduled"] = world.secrets.clock.time + 4
    assert world.revoke()
    assert world.journal.entries["acme"].version != "scheduled", "its key may be one of those just killed"
    assert "AWSCURRENT" in world.held.stages[world.journal.entries["acme"].version]


def test_a_failed_rotation_leaves_the_door_shut_with_aws_words(world: World) -> None:
    world.secrets.failing.add("myflux/local/acme/openai")
    with pytest.raises(OperationError, match="OpenAI answered 500") as refused:
        world.revoke()
    assert "reads stay denied" in str(refused.value)
    assert not world.open
    world.secrets.failing.clear()
    world.held.ready.clear()
    again = journals.unfinished(world.journal.path.parent, "revoke", ["acme"])
    assert again is not None
    assert world.revoke(again), "the same command goes on"


def test_a_tenant_that_was_disabled_before_stays_so(
    tmp_path: Path, small_cell: Cell, secrets: FakeSecrets, fleet: Fleet
) -> None:
    disabled = fleet.tenants["acme"].model_copy(update={"enabled": False})
    world = World(small_cell, disabled, secrets, tmp_path)
    assert not world.revoke()
    assert not world.open
    assert json.loads(world.held.policy) == world.deployed
    assert any("enabled: false" in line for line in consequences(disabled))


def test_a_stopped_revocation_is_gone_on_with_only_while_the_door_stayed_shut(world: World, clock: Clock) -> None:
    from datetime import datetime

    begun = datetime.fromisoformat(world.journal.begun)
    world.journal.done = ["deny", "kill", "mint"]
    assert continues(world.journal, opened=False, now=begun + timedelta(hours=2))
    assert not continues(world.journal, opened=True, now=begun + timedelta(hours=2)), (
        "the new key may have leaked since"
    )
    assert not continues(world.journal, opened=False, now=begun + timedelta(days=2))
    world.journal.done = []
    assert not continues(world.journal, opened=False, now=begun)


def test_what_stands_in_the_way_is_said_before_anything_changes(world: World) -> None:
    account = FakeAccount(world.cell, world.secrets)
    assert ready(account, world.tenant)  # pyright: ignore[reportArgumentType]
    world.held.rotation_enabled = False
    with pytest.raises(OperationError, match=r"rotation is off.*Nothing was changed"):
        ready(account, world.tenant)  # pyright: ignore[reportArgumentType]
    world.held.policy = ""
    with pytest.raises(OperationError, match="no resource policy"):
        ready(account, world.tenant)  # pyright: ignore[reportArgumentType]
    world.secrets.held.clear()
    with pytest.raises(OperationError, match=r"myflux-keys up acme"):
        ready(account, world.tenant)  # pyright: ignore[reportArgumentType]
    assert world.events == []


def test_a_customer_who_uses_cinnox_is_told_that_it_stops(tmp_path: Path) -> None:
    from tenancy import load

    Files(tmp_path / "f").tenant(consumers={"myflux": True, "cinnox": True})
    lines = consequences(load(tmp_path / "f").tenants["acme"])
    assert any("CINNOX" in line for line in lines)


def test_a_key_that_appeared_beside_the_new_one_keeps_the_door_shut_and_dies_in_the_next_run(world: World) -> None:
    """A rotation of the schedule's, for example, which stored its key between the two looks."""
    original = world.secrets.rotate_secret

    def another_too(**arguments: object) -> object:
        world.alive = {"key_late"}
        return original(**arguments)  # pyright: ignore[reportArgumentType]

    world.secrets.rotate_secret = another_too
    with pytest.raises(OperationError, match=r"key_late.*Reads stay denied"):
        world.revoke()
    assert not world.open
    world.secrets.rotate_secret = original
    again = journals.unfinished(world.journal.path.parent, "revoke", ["acme"])
    assert again is not None
    assert world.revoke(again)
    assert (world.alive, world.open) == (set(), True)


def test_what_is_told_at_the_end_is_the_last_look(world: World) -> None:
    done = world.revoked()
    version = world.journal.entries["acme"].version
    assert done.seen.current == f"key_of_{version}"
    told = sentence("acme", version, done.seen)
    assert f"key_of_{version}" in told
    assert "refuses every other key that a version of its secret holds" in told
    beyond = Beyond("key_theirs", ("v0",), None, customers=True)
    told = sentence("acme", version, Seen("active", "key_new", beyond=(beyond,)))
    assert "refuses every other" not in told, "one answers"


def test_the_sweep_functions_answers_are_read_in_full_or_refused() -> None:
    beyond = {"key": "key_4", "versions": ["v1"], "project_id": "proj_2", "customers": False}
    common = {"foreign": ["key_3"], "beyond": [beyond], "unseen": ""}
    answer = {"revoked": ["key_1"], "failed": [{"key_id": "key_2", "error": "403"}], **common}
    held = Beyond("key_4", ("v1",), "proj_2", customers=False)
    assert killed(answer) == Killed(("key_1",), {"key_2": "403"}, ("key_3",), (held,))
    look = {"project": "active", "current": "key_5", "others": ["key_6"], **common}
    assert seen(look) == Seen("active", "key_5", ("key_6",), ("key_3",), (held,))
    for broken in ({}, {"revoked": []}, answer | {"failed": ["key_2"]}, answer | {"revoked": None}):
        with pytest.raises(OperationError, match="no key counts as revoked"):
            killed(broken)
    for missing in look:
        with pytest.raises(OperationError, match="no key counts as revoked"):
            seen({name: value for name, value in look.items() if name != missing})


@pytest.mark.parametrize("enabled", [True, False])
def test_switching_gives_what_the_stack_would_deploy(small_cell: Cell, enabled: bool) -> None:
    names, role = small_cell.names.tenant("acme"), small_cell.names.runtime_role_arn

    def deployed(on: bool) -> object:
        return tenant_secret(names, reader_role=role, writers=["w"], deployers=["d"], enabled=on)

    for before in (True, False):
        assert switched(deployed(before), role, enabled=enabled) == deployed(enabled)  # pyright: ignore[reportArgumentType]


def test_somebody_elses_write_at_the_same_moment_is_noticed(world: World) -> None:
    def lost(**_: object) -> None:
        """Another deployer's policy came right after ours."""

    world.secrets.put_resource_policy = lost
    with pytest.raises(OperationError, match="somebody else changed it at the same time"):
        Access(world.secrets, world.cell, world.tenant).switch(enabled=False)  # pyright: ignore[reportArgumentType]


def test_after_pulumi_up_the_policy_is_looked_at_again(world: World) -> None:
    access = Access(world.secrets, world.cell, world.tenant)  # pyright: ignore[reportArgumentType]
    access.check(enabled=True)
    with pytest.raises(OperationError, match="AWS returns another"):
        access.check(enabled=False)
