"""Tenants without a key for the functions' tests: what the provisioner is told, and what OpenAI then holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Barrier, Thread, current_thread
from typing import Any

import pytest

from functions.shared.openai_admin import AdminAPI
from tests.functions.world import CELL, World

ISSUER = "00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"
PROVIDERS = "/organization/workload_identity_providers"
ROLE = f"arn:aws:iam::000000000000:role/myflux-{CELL}-runtime"
TRUST = {"issuer": f"https://{ISSUER}", "audience": f"myflux-{CELL}", "subject": ROLE, "permission": "restricted"}
FEDERATED: dict[str, Any] = {"federation": TRUST}
EXPRESSION = 'assertion["https://sts.amazonaws.com/"]["principal_tags"]["tenant"]'


def providers(world: World) -> list[dict[str, Any]]:
    return list(world.api().pages(PROVIDERS))


def rules(world: World, provider_id: str | None = None) -> list[dict[str, Any]]:
    """Of one provider, or of all."""
    ids = [provider["id"] for provider in providers(world)] if provider_id is None else [provider_id]
    return [rule for one in ids for rule in world.api().pages(f"{PROVIDERS}/{one}/federation_rules")]


def new_provider(world: World, name: str, **changes: Any) -> str:
    body = {"type": "oidc", "name": name, "issuer": TRUST["issuer"], "audience": TRUST["audience"]} | changes
    return str(world.api().send("POST", PROVIDERS, body=body)["id"])


def new_rule(world: World, provider_id: str, **changes: Any) -> str:
    """By default one that lets a role of the same tenant in that is not the runtime's."""
    body = {
        "name": "by hand",
        "attribute_matchers": {"sub": "arn:aws:iam::000000000000:role/other"},
        "project_id": world.project_id,
        "service_account_id": world.account_id,
    } | changes
    return str(world.api().send("POST", f"{PROVIDERS}/{provider_id}/federation_rules", body=body)["id"])


def fill(world: World, provider_id: str, count: int) -> None:
    """Rules of other tenants."""
    base = "/organization/projects"
    project = world.api().send("POST", base, body={"name": f"of {provider_id}"})["id"]
    for number in range(count):
        body = {"name": f"r{number}", "create_service_account_only": True}
        account = world.api().send("POST", f"{base}/{project}/service_accounts", body=body)["id"]
        new_rule(world, provider_id, name=f"r{number}", project_id=project, service_account_id=account)


def two_thousand(world: World) -> None:
    """Rules in 40 providers, the last with room for two. Of one service account, which takes half of the calls."""
    world.control.settings(one_rule_per_account=False)
    base = "/organization/projects"
    project = world.api().send("POST", base, body={"name": "others"})["id"]
    body = {"name": "r", "create_service_account_only": True}
    account = world.api().send("POST", f"{base}/{project}/service_accounts", body=body)["id"]
    for number in range(1, 41):
        told = [{"attribute": "openai.tenant", "expression": EXPRESSION}]
        provider = new_provider(world, f"myflux-{CELL}-{number}", attribute_transformations=told)
        for rule in range(48 if number == 40 else 50):
            new_rule(world, provider, name=f"r{rule}", project_id=project, service_account_id=account)


def provider_called(world: World, name: str) -> str:
    (found,) = (str(one["id"]) for one in providers(world) if one["name"] == name)
    return found


def federation_calls(world: World) -> int:
    return sum("workload_identity_providers" in call.path for call in world.control.calls())


def expected_rule(world: World, made: Mapping[str, Any]) -> dict[str, Any]:
    """The tenant's rule as OpenAI must hold it after an answer of the provisioner's."""
    return {
        "id": made["federation"]["rule_id"],
        "workload_identity_provider_id": made["federation"]["provider_id"],
        "name": f"myflux-{CELL}-{world.tenant}",
        "enabled": True,
        "attribute_matchers": {"sub": ROLE, "openai.tenant": world.tenant},
        "project_id": made["project_id"],
        "service_account_id": made["service_account_id"],
        "permissions": {
            "type": "restricted",
            "scopes": ["api.model.read", "api.model.request", "api.responses.read", "api.responses.write"],
        },
    }


def held(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of OpenAI's without what the provisioner does not set."""
    return {
        name: value for name, value in rule.items() if name not in ("object", "description", "created_at", "updated_at")
    }


def writes(world: World) -> list[str]:
    return [f"{call.method} {call.endpoint}" for call in world.control.calls() if call.method != "GET"]


def check(world: World, made: dict[str, Any], *, of: int = 1) -> None:
    """What must hold after every run: the one rule of the answer, and no more providers than needed."""
    assert [held(rule) for rule in rules(world) if rule["project_id"] == made["project_id"]] == [
        expected_rule(world, made)
    ]
    assert len(providers(world)) == of
    (provider,) = (one for one in providers(world) if one["id"] == made["federation"]["provider_id"])
    assert (provider["enabled"], provider["issuer"], provider["audience"]) == (True, TRUST["issuer"], TRUST["audience"])
    assert provider["attribute_transformations"] == [{"attribute": "openai.tenant", "expression": EXPRESSION}]
    assert provider["verification"]["type"] == "discovery"


def at_once(monkeypatch: pytest.MonkeyPatch, ending: str, *runs: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Each run in a thread of its own. Their first POSTs to a path with this ending wait for each other, so that
    nobody has seen what another one makes."""
    together, waited = Barrier(len(runs), timeout=60), set[Thread]()
    results, failures = list[dict[str, Any]](), list[BaseException]()
    send = AdminAPI.send

    def meeting(self: AdminAPI, method: str, path: str, **named: Any) -> dict[str, Any]:
        if method == "POST" and path.endswith(ending) and current_thread() not in waited:
            waited.add(current_thread())
            together.wait()
        return send(self, method, path, **named)

    def run(one: Callable[[], dict[str, Any]]) -> None:
        try:
            results.append(one())
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    with monkeypatch.context() as patch:
        patch.setattr(AdminAPI, "send", meeting)
        threads = [Thread(target=run, args=(one,)) for one in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures, failures
    return results
