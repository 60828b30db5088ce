"""A tenant's federation rule when calls fail, when several provisioners run at once, and when OpenAI has no room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.provisioner.project import ProjectError
from functions.shared.openai_http import OpenAIError
from tests.functions.federated import (
    FEDERATED,
    PROVIDERS,
    at_once,
    check,
    federation_calls,
    fill,
    new_provider,
    provider_called,
    providers,
    rules,
    two_thousand,
    writes,
)
from tests.functions.world import CELL, World

FAULTS = ["dropped_after_apply", "truncated", "dropped", "429", "500"]
MAKING = [
    ("GET", f"{PROVIDERS}$"),
    ("POST", f"{PROVIDERS}$"),
    ("GET", "/federation_rules$"),
    ("POST", "/federation_rules$"),
]
MENDING = [("POST", f"{PROVIDERS}/idp_[^/]*$"), ("POST", "/federation_rules/wifr_")]
ENDING = [("DELETE", "/federation_rules/wifr_"), ("GET", "/federation_rules/wifr_")]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "path"), MAKING, ids=str)
def test_a_call_that_fails_once_leaves_one_rule(world: World, fault: str, method: str, path: str) -> None:
    world.control.fault(fault, method=method, path=path)
    check(world, world.provision("update", **FEDERATED))
    assert world.control.faults() == [], "the fault was met"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "path"), MENDING, ids=str)
def test_a_repair_that_fails_once_is_made(world: World, fault: str, method: str, path: str) -> None:
    made = world.provision("update", **FEDERATED)
    target = f"{PROVIDERS}/{made['federation']['provider_id']}"
    world.api().send("POST", target, body={"enabled": False})
    world.api().send("POST", f"{target}/federation_rules/{made['federation']['rule_id']}", body={"enabled": False})
    world.control.fault(fault, method=method, path=path)
    assert world.provision("update", **FEDERATED) == made
    check(world, made)
    assert world.control.faults() == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "path"), ENDING, ids=str)
def test_a_rule_is_deleted_though_a_call_fails_once(world: World, fault: str, method: str, path: str) -> None:
    world.provision("update", **FEDERATED)
    world.control.fault(fault, method=method, path=path)
    world.provision("update", previous=FEDERATED)
    assert rules(world) == []
    assert world.control.faults() == [], "the fault was met"


@pytest.mark.parametrize(("method", "path"), MAKING, ids=str)
def test_openai_that_fails_for_long_fails_the_update_and_the_next_one_goes_on(
    world: World, method: str, path: str
) -> None:
    world.control.fault("500", method=method, path=path, count=None)
    with pytest.raises(OpenAIError, match="500"):
        world.provision("update", **FEDERATED)
    world.control.clear_faults()
    check(world, world.provision("update", **FEDERATED))


def test_five_tenants_at_once_share_the_first_provider(
    new_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [new_world() for _ in range(5)]
    runs = [lambda world=world: world.provision("update", **FEDERATED) for world in worlds]
    results = {made["project_id"]: made for made in at_once(monkeypatch, PROVIDERS, *runs)}
    for world in worlds:
        check(world, results[world.project_id])


def test_five_at_once_keep_the_oldest_provider_where_openai_takes_a_name_twice(
    new_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [new_world() for _ in range(5)]
    worlds[0].control.settings(federation_names_once=False)
    runs = [lambda world=world: world.provision("update", **FEDERATED) for world in worlds]
    results = {made["project_id"]: made for made in at_once(monkeypatch, PROVIDERS, *runs)}
    for world in worlds:
        check(world, results[world.project_id])


@pytest.mark.parametrize("strict", [True, False])
def test_one_tenant_twice_at_once_has_one_rule(world: World, monkeypatch: pytest.MonkeyPatch, strict: bool) -> None:
    world.control.settings(federation_names_once=strict, one_rule_per_account=strict)
    run = lambda: world.provision("update", **FEDERATED)  # noqa: E731
    first, second = at_once(monkeypatch, "/federation_rules", run, run)
    assert first == second
    check(world, first)


def test_the_last_place_of_a_provider_is_taken_once(
    new_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [new_world(), new_world()]
    fill(worlds[0], new_provider(worlds[0], f"myflux-{CELL}-1"), 49)
    runs = [lambda world=world: world.provision("update", **FEDERATED) for world in worlds]
    results = at_once(monkeypatch, "/federation_rules", *runs)
    assert len({made["federation"]["provider_id"] for made in results}) == 2
    assert sorted(len(rules(worlds[0], one["id"])) for one in providers(worlds[0])) == [1, 50]


def test_the_fifty_first_tenant_gets_a_second_provider_and_nobody_moves(new_world: Callable[..., World]) -> None:
    world, another, third = new_world(), new_world(), new_world()
    first = world.provision("update", **FEDERATED)["federation"]["provider_id"]
    fill(world, first, 49)
    second = another.provision("update", **FEDERATED)["federation"]["provider_id"]
    assert [one["name"] for one in providers(world)] == [f"myflux-{CELL}-1", f"myflux-{CELL}-2"]
    assert world.provision("update", **FEDERATED)["federation"]["provider_id"] == first, "a tenant never moves"
    for rule in rules(world, first)[1:]:
        world.api().send("DELETE", f"{PROVIDERS}/{first}/federation_rules/{rule['id']}")
    fill(world, second, 49)
    assert third.provision("update", **FEDERATED)["federation"]["provider_id"] == first, "the newest is full"


def reads(world: World) -> int:
    return sum(call.method == "GET" and "federation_rules" in call.path for call in world.control.calls())


def test_a_look_at_all_providers_is_taken_once(world: World) -> None:
    """Each takes a call, and OpenAI's Admin API allows some ten a minute."""
    for number in (1, 2, 3):
        fill(world, new_provider(world, f"myflux-{CELL}-{number}"), 1)
    world.control.clear_calls()
    world.provision("update", **FEDERATED)
    assert reads(world) == 3 + 1, "then the one that got the rule"


def test_a_new_tenant_beside_two_thousand_reads_one_provider(world: World) -> None:
    """Not all 40: of a project that was made just now there is no rule."""
    two_thousand(world)
    world.control.clear_calls()
    made = world.provision("update", **FEDERATED)
    before = federation_calls(world)
    assert before == 1 + 40 + 1 + 1 + 1, "all are read for a project that was there; the rule; and its provider again"
    check(world, made, of=40)

    world.tenant += "-2"
    world.control.clear_calls()
    made = world.provision("create", keys=False, **FEDERATED)
    assert federation_calls(world) == 1 + 1 + 1 + 1 + 1, "the newest provider has room; the rule; and both again"
    check(world, made, of=40)
    assert made["federation"]["provider_id"] == provider_called(world, f"myflux-{CELL}-40")


def test_a_new_tenant_finds_the_one_place_that_is_left(world: World) -> None:
    """In an old provider: a new one would be one of the organization's 50."""
    for number in (1, 2, 3):
        fill(world, new_provider(world, f"myflux-{CELL}-{number}"), 50 if number > 1 else 49)
    world.tenant += "-2"
    made = world.provision("create", keys=False, **FEDERATED)
    check(world, made, of=3)
    assert made["federation"]["provider_id"] == provider_called(world, f"myflux-{CELL}-1")


@pytest.mark.parametrize("path", ["/projects$", "/federation_rules$"])
def test_a_new_tenants_lost_answers_leave_one_rule(world: World, path: str) -> None:
    """A project whose answer was lost is looked up, and may be another provisioner's, which has made its rule."""
    for number in (1, 2):
        fill(world, new_provider(world, f"myflux-{CELL}-{number}"), 1)
    world.tenant += "-2"
    world.control.fault("dropped_after_apply", method="POST", path=path)
    world.control.clear_calls()
    made = world.provision("create", keys=False, **FEDERATED)
    assert world.control.faults() == [], "the fault was met"
    assert reads(world) == (2 + 1 if path == "/projects$" else 1 + 1)
    check(world, made, of=2)


def test_five_new_tenants_at_once_beside_a_full_provider_share_the_next(
    new_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [new_world() for _ in range(5)]
    fill(worlds[0], new_provider(worlds[0], f"myflux-{CELL}-1"), 50)
    for world in worlds:
        world.tenant += "-2"
    runs = [lambda world=world: world.provision("create", keys=False, **FEDERATED) for world in worlds]
    results = {made["project_id"]: made for made in at_once(monkeypatch, PROVIDERS, *runs)}
    assert len(results) == 5
    (second,) = {made["federation"]["provider_id"] for made in results.values()}
    assert len(rules(worlds[0], second)) == 5
    assert len(providers(worlds[0])) == 2


def test_fifty_providers_are_all_that_openai_allows(world: World) -> None:
    fill(world, new_provider(world, f"myflux-{CELL}-1"), 50)
    for number in range(49):
        new_provider(world, f"other-{number}")
    world.control.clear_calls()
    with pytest.raises(ProjectError, match=r"no room.*50 workload identity providers.*credential: key"):
        world.provision("update", **FEDERATED)
    assert writes(world) == []
