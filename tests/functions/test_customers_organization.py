"""A tenant whose customer gave an admin key: everything at OpenAI is done with that one, and with no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import openai
import pytest

from functions.provisioner.request import BadRequest, read_request
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import Refused
from myflux_keys import names
from tests.functions.world import CELL, FUNCTION, World, provisioner_input

THEIRS = "org-theirs"


@pytest.fixture
def ended(world: World) -> Iterator[Callable[[str], None]]:
    """Deletes an admin key at OpenAI: from then on nothing can be done with it."""
    control = world.control
    with openai.OpenAI(admin_api_key=control.create_admin_key("a person's"), base_url=world.url) as client:

        def end(key: str) -> None:
            (id,) = (minted.id for minted in control.minted() if minted.value == key)
            client.admin.organization.admin_api_keys.delete(id)

        yield end


@pytest.fixture
def customers(world: World) -> World:
    """The world's tenant, from now on in the customer's own organization."""
    world.secrets.tags[names.TAG_ORGANIZATION_ID] = THEIRS
    secret = names.customer_admin_secret(CELL, world.tenant)
    world.secrets.customers[secret] = world.control.create_admin_key("theirs")
    return world


def test_keys_are_minted_with_the_customers_admin_key(customers: World, ended: Callable[[str], None]) -> None:
    ended(customers.secrets.admin_key)
    first = customers.rotate()
    assert customers.payload().organization_id == THEIRS
    old = customers.payload().key_id
    second = customers.rotate(cold=True)
    customers.check(second, old)
    assert first != second


def test_no_key_is_minted_with_the_cells_admin_key_instead(customers: World, ended: Callable[[str], None]) -> None:
    secret = names.customer_admin_secret(CELL, customers.tenant)
    ended(customers.secrets.customers[secret])
    token = "t" * 36
    with pytest.raises(OpenAIError, match="401"):
        customers.rotate(token)
    assert not customers.live_keys()
    customers.secrets.customers[secret] = "not stored rightly"
    customers.restart()
    command = f"admin-key set --tenant {customers.tenant} --cell {CELL}"
    with pytest.raises(AdminKeyMissing, match=f"{secret}.*{command}"):
        customers.rotate(token)


def test_other_tenants_never_touch_a_customers_admin_key(world: World, ended: Callable[[str], None]) -> None:
    secret = names.customer_admin_secret(CELL, world.tenant)
    world.secrets.customers[secret] = "nobody may ask for it"
    world.check(world.rotate())


def test_the_project_is_made_and_archived_with_the_customers_admin_key(
    customers: World, ended: Callable[[str], None]
) -> None:
    ended(customers.secrets.admin_key)
    customers.restart()
    made = customers.provision("create", organization_id=THEIRS)
    assert made["organization_id"] == THEIRS
    assert customers.provision("delete", organization_id=THEIRS)["archived"] is True
    with pytest.raises(OpenAIError, match="401"):
        customers.provision("create")


@pytest.mark.parametrize("organization", ["theirs", "org-", "org-a b", 7, None])
def test_an_organization_that_is_none_is_refused(organization: object) -> None:
    event = provisioner_input("acme", organization_id=organization) | {"tf": {"action": "create"}}
    with pytest.raises(BadRequest, match="organization_id"):
        read_request(event, CELL, FUNCTION)


def test_a_tag_leads_to_no_other_tenants_admin_key(customers: World) -> None:
    customers.secrets.tags[names.TAG_TENANT] = "another"
    with pytest.raises(Refused, match="its name has another tenant"):
        customers.rotate()
