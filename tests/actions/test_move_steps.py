"""A move: the file changes only once the new cell serves, and a first key that failed is asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops.actions.move import Move, destination, drafted, origin
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import Fleet, load
from tests.actions.stand_ins import Clock, FakeAccount, FakeSecrets, Held
from tests.tenancy.files import REAL, Files


class World:
    """acme in cell local, with prod-eu1 to move to. `deploys` is how many resources each deployment changes."""

    def __init__(self, root: Path, clock: Clock) -> None:
        files = Files(root)
        files.tenant()
        files.cell("prod-eu1", base=REAL)
        self.root, self.clock = root, clock
        self.fleet: Fleet = load(root)
        self.secrets = FakeSecrets(clock)
        self.cell = self.fleet.cells["prod-eu1"]
        self.secret = self.cell.names.tenant("acme").secret
        self.file = TenantFile(root, "acme")

    def deploy(self, _text: str) -> int:
        """As `pulumi up`: makes what is not there, and a new rotation starts by itself."""
        assert self.says() == "local", "the file names a cell that does not serve yet"
        if self.secret in self.secrets.held:
            return 0
        self.secrets.held[self.secret] = Held()
        self.secrets.rotate_secret(SecretId=self.secret, ClientRequestToken="first")
        return 9

    def move(self) -> str | None:
        return Move(
            FakeAccount(self.cell, self.secrets),  # pyright: ignore[reportArgumentType]
            self.fleet.tenants["acme"],
            self.file,
            self.file.moved("prod-eu1"),
            deploy=self.deploy,
            report=lambda _: None,
            waiting=self.clock.waiting(),
        ).run()

    def says(self) -> str:
        return load(self.root).tenants["acme"].cell


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> World:
    return World(tmp_path / "moving", clock)


def test_the_file_changes_once_the_first_key_is_live_there(world: World) -> None:
    assert world.move() == "first"
    assert world.says() == "prod-eu1"
    assert len(world.secrets.asked) == 1, "the rotation that the stack began is the one that counts"


def test_a_first_key_that_fails_leaves_the_file_and_the_next_run_asks_again(world: World) -> None:
    world.secrets.failing.add(world.secret)
    with pytest.raises(OperationError, match="OpenAI answered 500") as refused:
        world.move()
    assert "The old cell still serves the tenant" in str(refused.value)
    assert world.says() == "local"
    world.secrets.failing.clear()
    world.secrets.held[world.secret].stages.clear()
    assert world.move() == world.secrets.asked[-1][1] != "first"
    assert world.says() == "prod-eu1"


def test_stopped_while_waiting_the_same_command_follows_the_rotation_under_way(world: World) -> None:
    sleep = world.clock.sleep

    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    world.clock.sleep = pressed
    with pytest.raises(KeyboardInterrupt):
        world.move()
    assert world.says() == "local"
    world.clock.sleep = sleep
    assert world.move() == "first", "no second key for one move"


def test_a_customers_key_is_not_waited_for(world: World) -> None:
    tenant = world.fleet.tenants["acme"].model_copy(update={"source": "customer", "rotation": None})
    moving = Move(
        FakeAccount(world.cell, world.secrets),  # pyright: ignore[reportArgumentType]
        tenant,
        world.file,
        world.file.moved("prod-eu1"),
        deploy=lambda _text: 4,
        report=lambda _: None,
        waiting=world.clock.waiting(),
    )
    assert moving.run() is None
    assert world.says() == "prod-eu1"


def test_keys_of_a_customers_organization_wait_for_their_admin_key_in_the_new_cell(world: World) -> None:
    """The one in the old cell is for nobody to read, so it can't be carried over."""
    tenant = world.fleet.tenants["acme"].model_copy(update={"source": "customer", "organization_id": "org-theirs"})
    place = world.cell.names.tenant("acme").admin_secret
    drafts: list[dict[str, object]] = []

    def deploy(text: str) -> int:
        drafts.append(yaml.safe_load(text))
        world.secrets.held.setdefault(place, Held())
        return world.deploy(text) if "rotation" in drafts[-1] else 5

    def move() -> str | None:
        return Move(
            FakeAccount(world.cell, world.secrets),  # pyright: ignore[reportArgumentType]
            tenant,
            world.file,
            world.file.moved("prod-eu1"),
            deploy=deploy,
            report=lambda _: None,
            waiting=world.clock.waiting(),
        ).run()

    for _ in ("no place yet", "a place that is empty"):
        with pytest.raises(OperationError, match="admin-key set --tenant acme --cell prod-eu1"):
            move()
        assert world.says() == "local"
        assert not {"rotation", "rate_limits", "budget", "permission"} & drafts[-1].keys(), "nothing could be minted"
        assert drafts[-1]["cell"] == "prod-eu1"
    world.secrets.held[place].stages["stored"] = ["AWSCURRENT"]
    world.secrets.held[place].deleted = True
    deployed = len(drafts)
    with pytest.raises(OperationError, match=f"restore-secret --secret-id {place}`, then `myflux-keys move acme"):
        move()
    assert world.says() == "local", "a key that is on its way out is none to mint with"
    assert len(drafts) == deployed, "AWS would refuse the name in the middle of the update"
    world.secrets.held[place].deleted = False
    assert move() == "first"
    assert "rotation" in drafts[-1]
    assert world.says() == "prod-eu1"


@pytest.mark.parametrize(
    ("changes", "way_out"),
    [
        ({}, "project there is archived for ever: move it to another cell"),
        ({"source": "customer", "rotation": None}, "--force-delete-without-recovery`, then `myflux-keys move acme"),
    ],
)
def test_a_tenant_that_left_the_cell_is_stopped_before_its_secrets_name_is_refused(
    world: World, changes: dict[str, object], way_out: str
) -> None:
    world.secrets.held[world.secret] = Held(deleted=True)
    moving = Move(
        FakeAccount(world.cell, world.secrets),  # pyright: ignore[reportArgumentType]
        world.fleet.tenants["acme"].model_copy(update=changes),
        world.file,
        world.file.moved("prod-eu1"),
        deploy=lambda _: pytest.fail("half of the stack would be made"),
        report=lambda _: None,
    )
    with pytest.raises(OperationError, match=r"is scheduled for \d{4}-\d\d-\d\d.*Nothing was changed") as refused:
        moving.run()
    assert way_out in str(refused.value)
    assert world.says() == "local"


def test_the_new_stack_is_made_from_a_draft_that_holds_the_cells_and_this_tenant(world: World) -> None:
    with drafted(world.root, "acme", world.file.moved("prod-eu1")) as root:
        held = load(root, only="acme")
        assert held.tenants["acme"].cell == "prod-eu1"
        assert held.cells.keys() == {"local", "prod-eu1"}
    assert not root.exists()
    assert (world.root / "cells" / "local.yaml").exists(), "the cells' own files outlive the draft"


def test_where_a_tenant_cannot_go_or_has_not_left_is_said_before_anything_changes(world: World) -> None:
    acme = world.fleet.tenants["acme"]
    with pytest.raises(OperationError, match=r"no cell `mars`: cells/ has local, prod-eu1"):
        destination(world.fleet, acme, "mars")
    with pytest.raises(OperationError, match="myflux-keys enable acme"):
        destination(world.fleet, acme.model_copy(update={"enabled": False}), "prod-eu1")
    destination(world.fleet, acme, "prod-eu1")
    with pytest.raises(OperationError, match="has not moved"):
        origin(world.fleet, acme, "local")
    with pytest.raises(OperationError, match="no cell `mars`"):
        origin(world.fleet, acme, "mars")
    assert origin(world.fleet, acme, "prod-eu1").cell == "prod-eu1"
