"""Federation rules of an identity provider: create, list, retrieve, update, delete.

Owns `…/workload_identity_providers/{id}/federation_rules`. Leaves out which rule a token matches
(`federation/matching.py`). The audit log names a rule a mapping.
"""

from __future__ import annotations

from typing import Any, Final

from local.openai import audit, errors, keys
from local.openai.call import Call, admin_route
from local.openai.federation.records import FederationRule, IdentityProvider, Scalar
from local.openai.fields import Body
from local.openai.paging import page
from local.openai.routes.identity_providers import provider_of
from local.openai.routes.service_accounts import checked_scopes

MOST: Final = 50
"""Rules of a provider."""


def render(rule: FederationRule) -> dict[str, Any]:
    permissions = (
        {"type": "service_account_default"} if rule.scopes is None else {"type": "restricted", "scopes": rule.scopes}
    )
    return {
        "id": rule.id,
        "object": "organization.workload_identity_federation_rule",
        "workload_identity_provider_id": rule.provider_id,
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "attribute_matchers": rule.matchers,
        "project_id": rule.project_id,
        "service_account_id": rule.service_account_id,
        "permissions": permissions,
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
    }


def _rule(call: Call, provider: IdentityProvider) -> FederationRule:
    identifier = call.parameters["workload_identity_federation_rule_id"]
    if identifier not in provider.rules:
        raise errors.not_found("Federation rule", identifier)
    return provider.rules[identifier]


def _create(call: Call) -> dict[str, Any]:
    provider, body = provider_of(call), call.body()
    project_id, account_id = body.text("project_id") or "", body.text("service_account_id") or ""
    rule = FederationRule(keys.make_id("wifr_"), provider.id, {}, project_id, account_id, call.at, call.at)
    if not body.has("attribute_matchers"):
        raise errors.missing_parameter("attribute_matchers")
    _change(rule, body, nullable=False)
    _check_target(call, rule)
    _named_once(call, provider, rule)
    pair = [one for one in provider.rules.values() if one.service_account_id == account_id]
    if pair and call.organization.settings.one_rule_per_account:
        message = f"'{account_id}' has a federation rule of this provider: {pair[0].id}."
        raise errors.invalid_value("service_account_id", message)
    if len(provider.rules) >= MOST:
        raise errors.too_many(f"A workload identity provider has at most {MOST} federation rules.")
    provider.rules[rule.id] = rule
    details = {"id": rule.id, "identity_provider_id": provider.id, "data": _told(rule)}
    audit.record(call, "workload_identity_provider_mapping.created", details)
    return render(rule)


def _list(call: Call) -> dict[str, Any]:
    rules, query = list(provider_of(call).rules.values()), call.query()
    account = query.text("service_account_id")
    return page(
        rules,
        query,
        render,
        lambda rule: rule.id,
        order="asc",
        keep=lambda rule: account in (None, rule.service_account_id),
    )


def _retrieve(call: Call) -> dict[str, Any]:
    return render(_rule(call, provider_of(call)))


def _update(call: Call) -> dict[str, Any]:
    provider = provider_of(call)
    draft = FederationRule(**vars(_rule(call, provider)))
    _change(draft, call.body(), nullable=True)
    _named_once(call, provider, draft)
    draft.updated_at = call.at
    provider.rules[draft.id] = draft
    details = {"id": draft.id, "identity_provider_id": provider.id, "changes_requested": _told(draft)}
    audit.record(call, "workload_identity_provider_mapping.updated", details)
    return render(draft)


def _delete(call: Call) -> dict[str, Any]:
    provider = provider_of(call)
    rule = _rule(call, provider)
    call.body().done()
    answer = {"id": rule.id, "object": "organization.workload_identity_federation_rule.deleted", "deleted": True}
    if call.emulator.faults.take(call.method, call.path, "not_done"):
        return answer
    del provider.rules[rule.id]
    details = {
        "id": rule.id,
        "identity_provider_id": provider.id,
        "project_id": rule.project_id,
        "service_account_id": rule.service_account_id,
    }
    audit.record(call, "workload_identity_provider_mapping.deleted", details)
    return answer


def _told(rule: FederationRule) -> dict[str, Any]:
    return {name: value for name, value in render(rule).items() if name not in ("id", "object")}


def _named_once(call: Call, provider: IdentityProvider, rule: FederationRule) -> None:
    taken = {other.name for other in provider.rules.values() if other.id != rule.id}
    if call.organization.settings.federation_names_once and rule.name is not None and rule.name in taken:
        raise errors.invalid_value("name", f"'{rule.name}' is another federation rule's name.")


def _check_target(call: Call, rule: FederationRule) -> None:
    """The service account must be there, in a project that is not archived."""
    project = call.organization.projects.get(rule.project_id)
    if project is None:
        raise errors.not_found("Project", rule.project_id)
    if project.archived_at is not None:
        raise errors.archived(project.id)
    if rule.service_account_id not in project.service_accounts:
        raise errors.not_found("Service account", rule.service_account_id)


def _change(rule: FederationRule, body: Body, *, nullable: bool) -> None:
    """Reads every field but the target, checks it, and sets what is given."""
    if body.has("name"):
        rule.name = body.text("name", nullable=nullable)
    if body.has("description"):
        rule.description = body.text("description", nullable=nullable, longest=2048)
    if body.has("enabled"):
        rule.enabled = body.boolean("enabled")
    if body.has("attribute_matchers"):
        rule.matchers = _matchers(body.object("attribute_matchers") or {})
    if body.has("permissions"):
        rule.scopes = _permissions(body.nested("permissions"))
    body.done()


def _matchers(given: dict[str, Any]) -> dict[str, Scalar]:
    """Scalars. A text may end with one wildcard, after something."""
    name = "attribute_matchers"
    if not given:
        raise errors.invalid_value(name, "it must have at least one attribute.")
    for attribute, value in given.items():
        path = f"{name}.{attribute}"
        if not isinstance(value, (str, bool, int, float)):
            raise errors.invalid_type(path, "a string, a boolean or a number", "something else")
        if not attribute or value == "":
            raise errors.invalid_value(path, "neither the attribute nor its value may be empty.")
        if isinstance(value, str) and "*" in value and (value == "*" or value.index("*") < len(value) - 1):
            raise errors.invalid_value(path, f"'{value}': one '*' is allowed, at the end and after something.")
    return given


def _permissions(body: Body) -> list[str] | None:
    """The scopes; None for the service account's own permissions."""
    kind = body.choice("type", ("service_account_default", "restricted"))
    scopes = checked_scopes(body.texts("scopes", fewest=1)) if kind == "restricted" else None
    body.done()
    return scopes


_BASE: Final = "/workload_identity_providers/{workload_identity_provider_id}/federation_rules"
_ONE: Final = _BASE + "/{workload_identity_federation_rule_id}"

ROUTES = [
    admin_route("POST", _BASE, _create),
    admin_route("GET", _BASE, _list),
    admin_route("GET", _ONE, _retrieve),
    admin_route("POST", _ONE, _update),
    admin_route("DELETE", _ONE, _delete),
]
