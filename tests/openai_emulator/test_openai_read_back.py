"""A key's value is told once, when it is made; after that by the control endpoint `minted` alone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

from local.openai.routes import ALL
from tests.openai_emulator.federated import Federation
from tests.openai_emulator.harness import Server, Tenant

MINTS = (
    "/v1/organization/admin_api_keys",
    "/v1/organization/projects/{project_id}/service_accounts",
    "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys",
    "/oauth/token",
)
"""Those that answer with a value, each with the one that it has just made."""
MONEY: dict[str, object] = {"currency": "USD", "interval": "month", "threshold_amount": 900}
MAIL: dict[str, object] = {"notification_channel": {"type": "email", "recipients": ["ops@acme.example"]}}
BODIES: dict[str, dict[str, object]] = {
    "/responses": {"model": "gpt-5-mini", "input": "x"},
    "/chat/completions": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "x"}]},
    "/model_permissions": {"mode": "allow_list", "model_ids": ["gpt-5-mini"]},
    "/{rate_limit_id}": {"max_requests_per_1_minute": 5},
    "/{service_account_id}": {"role": "member"},
    "/{api_key_id}": {"expires_in_seconds": 500},
    "/spend_limit": MONEY,
    "/spend_alerts": MONEY | MAIL,
    "/{alert_id}": MONEY | MAIL,
    "/workload_identity_providers": {"type": "oidc", "name": "n", "issuer": "https://x.example", "audience": "a"},
}
"""What a change is asked for, by the end of its path; the rest take a name."""


def ids_of_a_rule(federation: Federation) -> dict[str, str]:
    """The path's ids of a provider and a rule, by which an access token was just made."""
    rule = federation.rule()
    assert federation.exchange(federation.token()).status_code == 200
    return {
        "workload_identity_provider_id": federation.provider_id,
        "workload_identity_federation_rule_id": rule.id,
    }


def test_no_endpoint_of_openais_api_answers_with_a_key_again(
    server: Server, tenant: Tenant, federation: Federation
) -> None:
    admin = server.control.create_admin_key("reader")
    ids = ids_of_a_rule(federation)
    values = [m.value for m in server.control.minted()]
    fill = {"project_id": tenant.project_id, "service_account_id": tenant.service_account_id}
    fill |= {"api_key_id": tenant.key_id, "model": "gpt-5-mini", "response_id": "x", "alert_id": "x", "key_id": "x"}
    fill |= {"file_id": "x", "batch_id": "x"} | ids
    looked = 0
    for route in ALL:
        if route.method != "GET":
            continue
        path = re.sub(r"{(\w+)}", lambda m: fill[m[1]], route.template)
        key = admin if route.admin else tenant.key
        query = "?start_time=0" if "usage" in path or "costs" in path else ""
        request = urllib.request.Request(
            server.url.removesuffix("/v1") + path + query, headers={"Authorization": f"Bearer {key}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                body = refusal.read().decode()
        looked += 1
        assert not [v for v in values if v in body], f"{path} must not show a key"
    assert looked >= 15, "every GET was looked at"


def test_no_change_answers_with_a_key_that_was_there_before(
    server: Server, tenant: Tenant, federation: Federation
) -> None:
    admin = server.control.create_admin_key("writer")
    ids = ids_of_a_rule(federation)
    values = [m.value for m in server.control.minted()]
    fill = {"project_id": tenant.project_id, "service_account_id": tenant.service_account_id}
    fill |= {"api_key_id": tenant.key_id, "response_id": "x", "alert_id": "x", "key_id": "x", "model": "gpt-5-mini"}
    fill |= {"rate_limit_id": "rl-gpt-5-mini", "file_id": "x", "batch_id": "x"} | ids
    bodies = BODIES | {"/oauth/token": dict[str, object](federation.request(federation.token()))}
    changes = [route for route in ALL if route.method != "GET"]
    # What ends the key or its owners comes last, so that the others still meet it.
    changes.sort(key=lambda route: (route.method == "DELETE", route.template.endswith("archive")))
    assert {route.template for route in changes} >= set(MINTS), "the search knows what mints"
    done = 0
    for route in changes:
        body = next((b for end, b in bodies.items() if route.template.endswith(end)), {"name": "again"})
        path = re.sub(r"{(\w+)}", lambda m: fill[m[1]], route.template)
        request = urllib.request.Request(
            server.url.removesuffix("/v1") + path,
            data=None if route.method == "DELETE" else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {admin if route.admin else tenant.key}",
                "Content-Type": "application/json",
            },
            method=route.method,
        )
        before = len(server.control.minted())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read().decode()
                done += 1
        except urllib.error.HTTPError as refusal:
            with refusal:
                text = refusal.read().decode()
        assert not [v for v in values if v in text], f"{route.method} {path} must not show a key"
        made = server.control.minted()[before:]
        assert bool(made) == (route.method == "POST" and route.template in MINTS), f"{route.method} {route.template}"
        values += [m.value for m in made]
    assert done >= 12, f"most were carried out, not refused: {done} of {len(changes)}"


def test_of_the_control_endpoints_one_alone_tells_keys(server: Server, tenant: Tenant) -> None:
    server.client(tenant.key).models.list()
    control = server.control
    told = repr([control.state(), control.calls(), control.faults(), control.settings(), control.alerts_sent()])
    shown = repr([vars(project) for project in control.projects()] + [vars(key) for key in control.live_keys()])
    assert tenant.key_id in shown, "the search looks at something"
    assert not [m.value for m in control.minted() if m.value in told + shown]
