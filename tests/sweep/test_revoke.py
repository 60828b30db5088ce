"""Every key on a tenant's service account, now."""

from __future__ import annotations

import json
import time
from typing import Any

import openai
import pytest

from tests.sweep.conftest import Bench, TenantBench

pytestmark = pytest.mark.cell


def revoke(bench: Bench, slug: str, **more: Any) -> dict[str, Any]:
    return bench.invoke(bench.names.sweep_function, {"action": "revoke", "tenant": slug, **more})


def living(bench: Bench, slug: str) -> dict[str, Any]:
    return bench.invoke(bench.names.sweep_function, {"action": "keys", "tenant": slug})


def store(tenant: TenantBench, value: str | dict[str, Any]) -> None:
    administrator = tenant.bench.client("administrator", "secretsmanager")
    text = value if isinstance(value, str) else json.dumps(value)
    administrator.put_secret_value(SecretId=tenant.arn, SecretString=text)


def answers(bench: Bench, value: str) -> bool:
    with openai.OpenAI(api_key=value, base_url=bench.cell.openai_url, max_retries=0) as client:
        try:
            client.models.list()
        except openai.AuthenticationError:
            return False
    return True


def by_a_person(bench: Bench, project_id: str, name: str) -> tuple[str, str]:
    """A key that a person made on OpenAI's site: its id and value."""
    value = bench.control.create_user_key(project_id, name)
    return next(key.id for key in bench.control.live_keys(project_id) if key.name == name), value


def on_another_account(tenant: TenantBench, account: str) -> tuple[str, str]:
    """A key on a service account that somebody else made in the tenant's project: its id and value."""
    admin = tenant.bench.control.create_admin_key("temporary", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=admin, base_url=tenant.bench.cell.openai_url, max_retries=0) as client:
        made = client.admin.organization.projects.service_accounts.create(tenant.ids["project_id"], name=account)
    assert made.api_key is not None
    return made.api_key.id, made.api_key.value


def test_every_key_of_the_account_dies_on_every_page_and_others_live(bench: Bench) -> None:
    tenant = bench.tenant()
    tenant.rotate()
    ours = {tenant.mint("by hand, on our account") for _ in range(120)} | set(tenant.live())
    bench.control.create_user_key(tenant.ids["project_id"], "a person's")
    (person,) = set(tenant.live()) - ours
    answer = revoke(bench, tenant.slug)
    assert set(answer["revoked"]) == ours, "more than one page, young and old, whatever their names"
    assert answer["failed"] == []
    assert answer["foreign"] == [person]
    assert set(tenant.live()) == {person}
    assert revoke(bench, tenant.slug)["revoked"] == [], "a second time there is nothing to do"


def test_a_neighbours_keys_live_on(bench: Bench) -> None:
    one, other = bench.tenant(), bench.tenant()
    revoke(bench, one.slug)
    assert one.live() == {}
    assert len(other.live()) == 1


def test_where_openai_refuses_to_delete_the_keys_die_all_the_same(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    bench.control.fault("old_delete_rule", method="DELETE", count=None)
    try:
        assert revoke(bench, tenant.slug)["revoked"] == [key]
    finally:
        bench.control.clear_faults()
    bench.cell.advance(2)
    assert tenant.live() == {}


def test_a_key_that_cannot_be_ended_is_named(bench: Bench) -> None:
    tenant = bench.tenant()
    (stubborn,) = tenant.live()
    easy = tenant.mint()
    bench.control.fault("500", method="DELETE", path=stubborn, count=None)
    try:
        answer = revoke(bench, tenant.slug)
    finally:
        bench.control.clear_faults()
    assert answer["revoked"] == [easy], "one that resists keeps no other alive"
    assert [entry["key_id"] for entry in answer["failed"]] == [stubborn]
    assert set(tenant.live()) == {stubborn}


def test_what_any_version_holds_dies_whoever_made_it_and_however_it_was_stored(bench: Bench) -> None:
    """As after an adoption: the value of an old version, of a service account not made here, answers to whoever has
    it."""
    tenant = bench.tenant()
    made_here = set(tenant.live())
    legacy, legacy_value = on_another_account(tenant, "legacy-app")
    store(tenant, tenant.held("AWSCURRENT") | {"api_key": legacy_value, "key_id": legacy})
    bare, bare_value = by_a_person(bench, tenant.ids["project_id"], "by hand")
    store(tenant, json.dumps({"OPENAI_API_KEY": bare_value}))
    other, other_value = by_a_person(bench, tenant.ids["project_id"], "not in the secret")
    tenant.rotate()
    tenant.rotate()
    assert not any(labels == [] for labels in tenant.stages().values()), "DescribeSecret shows labelled versions only"
    answer = revoke(bench, tenant.slug)
    assert set(answer["revoked"]) >= {legacy, bare} | made_here
    assert (answer["failed"], answer["beyond"], answer["unseen"]) == ([], [], "")
    assert answer["foreign"] == [other], "what the secret never held is not ours to end"
    assert not answers(bench, legacy_value)
    assert not answers(bench, bare_value)
    assert answers(bench, other_value)


def test_a_second_account_of_our_name_is_ours_too(bench: Bench) -> None:
    tenant = bench.tenant()
    twin, value = on_another_account(tenant, "myflux-runtime")
    assert twin in revoke(bench, tenant.slug)["revoked"]
    assert not answers(bench, value)


def test_a_held_key_that_only_others_can_end_is_named_by_its_version(bench: Bench) -> None:
    tenant, neighbour = bench.tenant(), bench.tenant()
    key, value = by_a_person(bench, neighbour.ids["project_id"], "in another project")
    store(tenant, value)
    own = by_a_person(bench, neighbour.ids["project_id"], "the customer's own")
    held = {"schema": 1, "source": "customer", "tenant": tenant.slug, "api_key": own[1], "base_url": "x"}
    store(tenant, held | {"models": ["m"], "minted_at": "2026-01-01T00:00:00Z"})
    answer = revoke(bench, tenant.slug)
    assert answer["failed"] == []
    assert [(entry["key"][:19], entry["customers"]) for entry in answer["beyond"]] == [
        ("the key in version ", False),
        ("the key in version ", True),
    ]
    assert len(answer["beyond"][0]["versions"]) == 1
    assert key in neighbour.live(), "a neighbour's key is not ended for standing in the wrong secret"
    assert answers(bench, value)


def test_a_deletion_that_was_answered_and_not_done_is_seen(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    bench.control.fault("not_done", method="DELETE", count=None)
    try:
        answer = revoke(bench, tenant.slug)
    finally:
        bench.control.clear_faults()
    assert answer["revoked"] == []
    assert answer["failed"] == [{"key_id": key, "error": "OpenAI still lists it as alive"}]


def test_a_key_that_left_the_list_counts_as_dead_once_openai_refuses_it(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    value = tenant.held("AWSCURRENT")["api_key"]
    bench.control.fault("dies_late", method="DELETE", seconds=4)
    assert revoke(bench, tenant.slug)["revoked"] == [key]
    assert not answers(bench, value), "it was waited for"


def test_a_key_that_left_the_list_and_goes_on_answering_is_named(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    bench.control.fault("dies_late", method="DELETE", seconds=3600)
    answer = revoke(bench, tenant.slug)
    assert answer["revoked"] == []
    assert answer["failed"] == [{"key_id": key, "error": "OpenAI no longer lists it as alive, and still accepts it"}]


@pytest.mark.parametrize("window", [True, False], ids=["in its deletion window", "gone"])
def test_a_project_whose_secret_is_deleted_can_still_be_emptied(bench: Bench, window: bool) -> None:
    tenant = bench.tenant()
    person, _ = by_a_person(bench, tenant.ids["project_id"], "a person's")
    ours = set(tenant.live()) - {person}
    how = {"RecoveryWindowInDays": 7} if window else {"ForceDeleteWithoutRecovery": True}
    bench.client("administrator", "secretsmanager").delete_secret(SecretId=tenant.arn, **how)
    looked = living(bench, tenant.slug)
    assert (set(looked["others"]), looked["foreign"]) == (ours, [person])
    answer = revoke(bench, tenant.slug, whole_project=True)
    assert set(answer["revoked"]) == ours | {person}, "the project comes to its end, and all that is in it"
    assert answer["failed"] == []
    assert ("deletion is scheduled" if window else "there is no secret") in answer["unseen"]
    assert tenant.live() == {}


def test_a_look_tells_the_live_key_from_others_and_changes_nothing(bench: Bench) -> None:
    tenant = bench.tenant()
    (current,) = tenant.live()
    left_behind = tenant.mint()
    person, _ = by_a_person(bench, tenant.ids["project_id"], "a person's")
    bench.control.clear_calls()
    told = living(bench, tenant.slug)
    assert (told["project"], told["current"], told["others"]) == ("active", current, [left_behind])
    assert (told["foreign"], told["beyond"], told["unseen"]) == ([person], [], "")
    assert {call.method for call in bench.control.calls()} == {"GET"}


def test_a_customers_own_key_and_an_unknown_tenant_are_refused(bench: Bench) -> None:
    customer = bench.customer()
    with pytest.raises(AssertionError, match="the customer's own"):
        revoke(bench, customer)
    with pytest.raises(AssertionError, match="no secret of nobody-here"):
        revoke(bench, "nobody-here")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({}, "action is None"),
        ({"action": "revoke"}, "tenant holds None"),
        ({"action": "revoke", "tenant": "acme", "dry_run": True}, "no field 'dry_run'"),
        ({"action": "revoke", "tenant": "acme", "whole_project": "yes"}, "true or false"),
        ({"action": "keys", "tenant": "acme", "organization_id": "acme"}, "org-…"),
        ({"action": "sweep", "tenants": []}, "at least one slug"),
        ({"action": "sweep", "tenants": ["../x"]}, "no tenant's slug"),
        ({"action": "sweep", "dry_run": "no"}, "true or false"),
        ({"action": "sweep", "tenants": ["nobody-here"]}, "no secret of nobody-here"),
    ],
)
def test_what_is_not_understood_is_refused_before_anything_is_done(
    bench: Bench, event: dict[str, Any], says: str
) -> None:
    # A rotation that an earlier test began may be at work beside this; what this event caused would come every time.
    give_up = time.monotonic() + 30
    while True:
        bench.control.clear_calls()
        with pytest.raises(AssertionError, match=says):
            bench.invoke(bench.names.sweep_function, event)
        calls = bench.control.calls()
        if not calls or time.monotonic() > give_up:
            break
        time.sleep(1)
    assert not calls
