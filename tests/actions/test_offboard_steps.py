"""Off-boarding: stopped after any step nothing is open, and the same command comes to the same end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam.denied_sessions import POLICY, changed
from components.iam.resource import tenant_secret
from ops import journal as journals
from ops.actions.access import is_open
from ops.actions.end_keys import Beyond, Killed, Seen
from ops.actions.offboard import Offboard, plan, refuse_if_secret_in, refused_as_protected
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from ops.journal import Journal
from tenancy import Cell, Fleet, Tenant, archive
from tests.actions.stand_ins import FakeAccount, FakeSecrets, Held
from tests.actions.test_revoke_tokens import Roles

STEPS = ["deny", "stop", "kill", "destroy", "archive"]


class World:
    """A tenant with two keys. `stop_at` counts what happens, and Ctrl-C comes right after that."""

    def __init__(self, cell: Cell, tenant: Tenant, secrets: FakeSecrets, fleet: Path, folder: Path) -> None:
        self.cell, self.tenant, self.secrets, self.fleet = cell, tenant, secrets, fleet
        names = cell.names.tenant(tenant.tenant)
        role = cell.names.runtime_role_arn
        policy = tenant_secret(names, reader_role=role, writers=["w"], deployers=["d"], enabled=True)
        self.held = Held({"v": ["AWSCURRENT"]}, policy=json.dumps(policy))
        secrets.held[names.secret] = self.held
        self.alive = {"key_a", "key_b"}
        self.minted_meanwhile = ["key_late"]
        self.standing = True
        self.events: list[str] = []
        self.told: list[str] = []
        self.project: str | None = "active"
        self.beyond: tuple[Beyond, ...] = ()
        self.unseen = ""
        self.stop_at = 0
        self.roles = Roles(cell)
        self.rules: tuple[str, ...] | None = None
        self.folder = folder
        journals.begin(folder, "offboard", cell, [tenant.tenant], "left")
        for name in ("put_resource_policy", "cancel_rotate_secret"):
            self._watch(name)

    def _watch(self, name: str) -> None:
        original = getattr(self.secrets, name)

        def watched(**arguments: object) -> None:
            original(**arguments)
            self._happened(name)

        setattr(self.secrets, name, watched)

    def _happened(self, what: str) -> None:
        self.events.append(what)
        if len(self.events) == self.stop_at:
            raise KeyboardInterrupt

    def kill(self, tenant: str) -> Killed:
        assert tenant == self.tenant.tenant
        if self.standing and self.secrets.held and not self.held.deleted:
            assert not is_open(json.loads(self.held.policy)), "a key was killed while readers could still fetch it"
            assert not self.held.rotation_enabled, "a rotation could make another key"
        found, self.alive = sorted(self.alive), set(self.minted_meanwhile)
        self.minted_meanwhile = []
        self._happened("kill")
        return Killed(tuple(found), beyond=self.beyond, unseen=self.unseen)

    def look(self, tenant: str) -> Seen:
        assert tenant == self.tenant.tenant
        return Seen(self.project, None, tuple(sorted(self.alive)), unseen=self.unseen, rules=self.rules)

    def destroy(self) -> str:
        assert not self.alive, "the place was taken away while its keys lived"
        self.held.deleted, self.standing, self.project = True, False, "archived"
        self._happened("destroy")
        return "gone"

    def run(self, *, file: bool = True, kill: object = None, destroy: object = None) -> Journal:
        journal = journals.unfinished(self.folder, "offboard", [self.tenant.tenant])
        assert journal is not None
        account: Any = FakeAccount(self.cell, self.secrets)
        account.roles = self.roles
        self.leaving = Offboard(
            account,
            self.tenant,
            journal,
            kill=kill or self.kill,  # pyright: ignore[reportArgumentType]
            look=self.look,
            destroy=destroy or self.destroy,  # pyright: ignore[reportArgumentType]
            report=self.told.append,
            file=TenantFile(self.fleet, self.tenant.tenant) if file else None,
        )
        self.leaving.run()
        return journal

    @property
    def readable(self) -> bool:
        return not self.held.deleted and is_open(json.loads(self.held.policy))

    @property
    def path(self) -> Path:
        return self.fleet / "tenants" / f"{self.tenant.tenant}.yaml"


@pytest.fixture
def world(small_cell: Cell, fleet: Fleet, secrets: FakeSecrets, tmp_path: Path) -> World:
    return World(small_cell, fleet.tenants["acme"], secrets, tmp_path / "fleet", tmp_path)


def test_readers_then_rotation_then_keys_then_the_place_then_the_file(world: World) -> None:
    assert world.run().done == STEPS
    order = ["put_resource_policy", "cancel_rotate_secret", "kill", "kill", "kill", "destroy"]
    assert world.events == order, "keys are killed until a look finds none: a rotation under way may have made one"
    assert (world.alive, world.standing) == (set(), False)
    assert not world.path.exists()
    assert "enabled: false" in archive.place(world.fleet, "acme").read_text(encoding="utf-8")


@pytest.mark.parametrize("stop_at", range(1, 7))
def test_stopped_after_anything_nothing_is_open_and_the_same_command_ends_it(world: World, stop_at: int) -> None:
    world.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert not world.readable, "from the first thing that happens on, no reader gets a key"
    if world.path.exists():
        text = world.path.read_text(encoding="utf-8")
        assert "enabled: false" in text, "a pipeline's `pulumi up` would let the readers in again"
    world.stop_at = 0
    assert world.run().done == STEPS
    assert (world.alive, world.standing, world.path.exists()) == (set(), False, False)


def test_a_key_that_openai_will_not_end_keeps_the_place_and_is_named(world: World) -> None:
    with pytest.raises(OperationError, match=r"key_stubborn: 403 .*project is myflux-local-acme") as refused:
        world.run(kill=lambda _: Killed((), {"key_stubborn": "403 not allowed"}))
    assert "deleted nothing" in str(refused.value)
    assert world.standing
    assert not world.readable
    assert world.path.exists()


def test_a_tenant_that_moved_keeps_its_file_as_it_is(world: World) -> None:
    before = world.path.read_text(encoding="utf-8")
    assert world.run(file=False).done == STEPS[:-1]
    assert world.path.read_text(encoding="utf-8") == before
    assert not world.standing


def test_a_customers_key_is_not_ours_to_end(
    small_cell: Cell, fleet: Fleet, secrets: FakeSecrets, tmp_path: Path
) -> None:
    customer = fleet.tenants["acme"].model_copy(update={"source": "customer", "rotation": None})
    world = World(small_cell, customer, secrets, tmp_path / "fleet", tmp_path)
    world.held.rotation_enabled = False
    world.alive.clear()
    assert world.run().done == STEPS
    assert "kill" not in world.events
    assert any("only the customer can" in step for step in plan(small_cell, customer, leaves=True))


@pytest.fixture
def keyless(small_cell: Cell, fleet: Fleet, secrets: FakeSecrets, tmp_path: Path) -> World:
    """A tenant that gets tokens, and whose sessions from before a time are denied, as a revocation leaves them."""
    tenant = fleet.tenants["acme"].model_copy(update={"credential": "federated"})
    world = World(small_cell, tenant, secrets, tmp_path / "fleet", tmp_path)
    secrets.held.clear()
    world.alive.clear()
    world.minted_meanwhile.clear()
    world.rules = ()
    now = secrets.clock.moment()
    world.roles.inline[POLICY] = changed(None, "acme", now, now)
    return world


@pytest.mark.parametrize("tenants_alone", [False, True], ids=["a person", "a pipeline that deploys tenants"])
def test_a_tenant_without_a_key_leaves_whether_or_not_one_may_deny_its_sessions(
    keyless: World, tenants_alone: bool
) -> None:
    """A pipeline that deploys tenants changes no role: the rule, which goes with the stack, ends the tokens."""
    keyless.roles.refuses = tenants_alone
    before = dict(keyless.roles.inline)
    assert keyless.run().done == STEPS
    assert not keyless.path.exists()
    assert not keyless.leaving.may_get_tokens
    told = " ".join(keyless.told)
    assert ("AWS does not let you deny its runtime's sessions" in told) is tenants_alone
    assert ("take its denial out of the runtime role" in told) is tenants_alone, (
        "what is left, and does no harm, is told"
    )
    assert keyless.roles.inline == (before if tenants_alone else {"read": before["read"]})


def test_a_pipeline_that_is_stopped_says_that_there_may_be_tokens_still(keyless: World) -> None:
    keyless.roles.refuses = True

    def fails() -> str:
        raise OperationError("no engine.")

    with pytest.raises(OperationError, match="no engine"):
        keyless.run(destroy=fails)
    assert keyless.leaving.may_get_tokens
    keyless.rules = ("wifr_1",)
    with pytest.raises(OperationError, match="OpenAI still lists wifr_1"):
        keyless.run()
    assert keyless.leaving.may_get_tokens


def test_keys_minted_in_a_customers_organization_are_ours_to_end(
    small_cell: Cell, fleet: Fleet, secrets: FakeSecrets, tmp_path: Path
) -> None:
    customer = fleet.tenants["acme"].model_copy(update={"source": "customer", "organization_id": "org-theirs"})
    world = World(small_cell, customer, secrets, tmp_path / "fleet", tmp_path)
    assert world.run().done == STEPS
    assert "kill" in world.events
    assert any("revoke every key" in step for step in plan(small_cell, customer, leaves=True))


def test_a_tenant_without_a_secret_leaves_all_the_same(world: World) -> None:
    world.secrets.held.clear()
    world.alive.clear()
    world.minted_meanwhile.clear()
    world.project, world.unseen = None, "there is no secret"
    assert world.run().done == STEPS
    assert world.events == ["kill", "destroy"], "OpenAI is looked at all the same; what the stack holds goes with it"
    assert any("not checked: there is no secret" in line for line in world.told)


@pytest.mark.parametrize("gone", [False, True], ids=["in its deletion window", "gone"])
def test_what_lives_after_the_secret_was_deleted_is_ended_by_the_same_command(world: World, gone: bool) -> None:
    """Somebody deleted it on AWS's console, or an earlier run got so far before a key was made by hand."""
    world.held.deleted = True
    if gone:
        world.secrets.held.clear()
    assert world.run().done == STEPS
    assert world.alive == set()


def test_a_destroy_that_fails_is_told_with_what_lives_then(world: World) -> None:
    def fails() -> str:
        world.alive = {"key_twin"}
        raise OperationError("2 accounts of one name.")

    with pytest.raises(OperationError, match=r"2 accounts.*still valid: key_twin"):
        world.run(destroy=fails)
    assert not world.leaving.no_valid_key, "an earlier look is no word on what lives now"
    assert world.run().done == STEPS
    assert world.alive == set()


def test_a_held_key_that_only_others_can_end_keeps_the_secret_and_the_customers_own_does_not(world: World) -> None:
    world.beyond = (Beyond("key_elsewhere", ("v0",), "proj_other", customers=False),)
    with pytest.raises(OperationError, match=r"key_elsewhere .*project proj_other.*deleted nothing"):
        world.run()
    assert world.standing
    world.beyond = (Beyond("the key in version v0", ("v0",), None, customers=True),)
    assert world.run().done == STEPS
    assert any("still valid: the key in version v0" in line for line in world.told)


def test_keys_that_somebody_goes_on_making_keep_the_place(world: World) -> None:
    with pytest.raises(OperationError, match="somebody makes keys there"):
        world.run(kill=lambda _: Killed(("key_again",)))
    assert world.standing
    assert not world.leaving.no_valid_key


def test_a_place_that_outlives_its_stack_is_named(world: World) -> None:
    with pytest.raises(
        OperationError, match="the stack is destroyed, but secret myflux/local/acme/openai still exists"
    ):
        world.run(destroy=lambda: "gone")
    world.held.deleted = True
    with pytest.raises(OperationError, match="project myflux-local-acme is still active"):
        world.run(destroy=lambda: "gone")
    assert world.path.exists(), "the file is put away last"


def test_a_tenant_that_lives_in_another_cell_too_is_told_of_before_anything_changes(world: World) -> None:
    account = FakeAccount(world.cell, world.secrets)
    with pytest.raises(OperationError, match=r"--finish --from local.*") as refused:
        refuse_if_secret_in([account], world.tenant)  # pyright: ignore[reportArgumentType]
    assert "Nothing was changed" in str(refused.value)
    world.held.deleted = True
    refuse_if_secret_in([account], world.tenant)  # pyright: ignore[reportArgumentType]


def test_a_cell_that_the_caller_may_not_look_at_is_named_as_not_checked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role of people of a bootstrapped cell sees no other cell of the account."""

    def answer(code: str) -> Callable[..., Any]:
        def describe_secret(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeSecret")

        return describe_secret

    account = FakeAccount(world.cell, world.secrets)
    monkeypatch.setattr(world.secrets, "describe_secret", answer("AccessDeniedException"))
    assert refuse_if_secret_in([account], world.tenant) == ["local"]  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(world.secrets, "describe_secret", answer("InternalServiceError"))
    with pytest.raises(ClientError):
        refuse_if_secret_in([account], world.tenant)  # pyright: ignore[reportArgumentType]


def test_the_plan_names_what_cannot_be_undone(world: World) -> None:
    steps = plan(world.cell, world.tenant, leaves=True)
    assert len(steps) == len(STEPS)
    assert "project myflux-local-acme is archived, which is final" in steps[3]
    assert f"for {world.cell.recovery_window_days} days" in steps[3]
    assert "tenants/archive/acme.yaml" in steps[4]
    assert len(plan(world.cell, world.tenant, leaves=False)) == len(STEPS) - 1
    told = refused_as_protected("acme.prod", ["acme-key-secret"])
    assert "acme-key-secret" in told
    assert "--unprotect" in told
