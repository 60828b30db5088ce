"""Workload identity providers: create, list, retrieve, update, delete.

Owns `/v1/organization/workload_identity_providers`. Leaves out rules (`federation_rules.py`). OpenAI fails an exchange
whose attribute transformation is no CEL; here the provider is refused already, and so is CEL that the cell does not
evaluate (`federation/cel.py`), by name. A provider with rules cannot be deleted: OpenAI does not say what becomes of
them, so a caller deletes them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from local.openai import audit, errors, keys
from local.openai.call import Call, admin_route
from local.openai.federation import cel
from local.openai.federation.matching import DERIVED
from local.openai.federation.records import IdentityProvider
from local.openai.fields import Body
from local.openai.paging import page

MOST: Final = 50
"""Providers of an organization."""
_MOST_TRANSFORMATIONS: Final = 20
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""What only a private or a shared JSON Web Key has: https://www.rfc-editor.org/rfc/rfc7518#section-6"""


def render(provider: IdentityProvider) -> dict[str, Any]:
    verification = (
        {"type": "discovery", "discovery_url": provider.discovery_url}
        if provider.jwks is None
        else {"type": "uploaded_jwks", "jwks": provider.jwks}
    )
    return {
        "id": provider.id,
        "object": "organization.workload_identity_provider",
        "type": "oidc",
        "name": provider.name,
        "description": provider.description,
        "issuer": provider.issuer,
        "audience": provider.audience,
        "enabled": provider.enabled,
        "attribute_transformations": [
            {"attribute": attribute, "expression": expression}
            for attribute, expression in provider.transformations.items()
        ],
        "verification": verification,
        "created_at": provider.created_at,
        "updated_at": provider.updated_at,
    }


def provider_of(call: Call) -> IdentityProvider:
    """The provider in the path."""
    identifier = call.parameters["workload_identity_provider_id"]
    provider = call.organization.identity_providers.get(identifier)
    if provider is None:
        raise errors.not_found("Workload identity provider", identifier)
    return provider


def _create(call: Call) -> dict[str, Any]:
    body = call.body()
    provider = IdentityProvider(keys.make_id("idp_"), "", "", "", call.at, call.at)
    body.choice("type", ("oidc",))
    _change(provider, body, required=True)
    _named_once(call, provider)
    if len(call.organization.identity_providers) >= MOST:
        raise errors.too_many(f"An organization has at most {MOST} workload identity providers.")
    call.organization.identity_providers[provider.id] = provider
    audit.record(call, "workload_identity_provider.created", {"id": provider.id, "data": _told(provider)})
    return render(provider)


def _list(call: Call) -> dict[str, Any]:
    providers = list(call.organization.identity_providers.values())
    return page(providers, call.query(), render, lambda p: p.id, order="asc")


def _retrieve(call: Call) -> dict[str, Any]:
    return render(provider_of(call))


def _update(call: Call) -> dict[str, Any]:
    held = provider_of(call)
    draft = IdentityProvider(**vars(held))
    _change(draft, call.body(), required=False)
    _named_once(call, draft)
    draft.updated_at = call.at
    call.organization.identity_providers[held.id] = draft
    audit.record(call, "workload_identity_provider.updated", {"id": held.id, "changes_requested": _told(draft)})
    return render(draft)


def _delete(call: Call) -> dict[str, Any]:
    provider = provider_of(call)
    call.body().done()
    if provider.rules:
        raise errors.still_used(f"Workload identity provider {provider.id} has federation rules: delete them first.")
    del call.organization.identity_providers[provider.id]
    audit.record(call, "workload_identity_provider.deleted", {"id": provider.id, "name": provider.name})
    return {"id": provider.id, "object": "organization.workload_identity_provider.deleted", "deleted": True}


def _told(provider: IdentityProvider) -> dict[str, Any]:
    return {name: value for name, value in render(provider).items() if name not in ("id", "object")}


def _named_once(call: Call, provider: IdentityProvider) -> None:
    others = call.organization.identity_providers.values()
    if call.organization.settings.federation_names_once and any(
        other.name == provider.name for other in others if other.id != provider.id
    ):
        raise errors.invalid_value("name", f"'{provider.name}' is another workload identity provider's name.")


def _change(provider: IdentityProvider, body: Body, *, required: bool) -> None:
    """Reads every field but `type`, checks it, and sets what is given."""
    provider.name = body.text("name", required=required) or provider.name
    provider.issuer = body.text("issuer", required=required, longest=2048) or provider.issuer
    provider.audience = body.text("audience", required=required, longest=2048) or provider.audience
    if not provider.issuer.startswith("https://"):
        raise errors.invalid_value("issuer", f"'{provider.issuer}' is not an https URL.")
    if body.has("description"):
        provider.description = body.text("description", nullable=not required, longest=2048)
    if body.has("enabled"):
        provider.enabled = body.boolean("enabled")
    if body.has("attribute_transformations"):
        provider.transformations = _transformations(body.array("attribute_transformations") or [])
    if body.has("verification"):
        provider.jwks, provider.discovery_url = _verification(body.nested("verification"))
    body.done()


def _transformations(items: list[Any]) -> dict[str, str]:
    name = "attribute_transformations"
    if len(items) > _MOST_TRANSFORMATIONS:
        raise errors.invalid_value(name, f"at most {_MOST_TRANSFORMATIONS} are allowed.")
    found: dict[str, str] = {}
    for index, item in enumerate(items):
        path = f"{name}[{index}]"
        if not isinstance(item, dict):
            raise errors.invalid_type(path, "an object", "something else")
        fields = Body(cast("dict[str, Any]", item), f"{path}.")
        attribute, expression = fields.text("attribute") or "", fields.text("expression", longest=4096) or ""
        fields.done()
        if not attribute.startswith(DERIVED) or attribute == DERIVED or attribute in found:
            rule = f"it must start with '{DERIVED}' and be there once"
            raise errors.invalid_value(f"{path}.attribute", f"'{attribute}': {rule}.")
        try:
            cel.parse(expression)
        except cel.NotHere as part:
            message = f"the local cell does not evaluate CEL's `{part}`."
            raise errors.invalid_value(f"{path}.expression", message) from None
        except cel.NotCel as problem:
            raise errors.invalid_value(f"{path}.expression", f"it is not CEL: {problem}.") from None
        found[attribute] = expression
    return found


def _verification(body: Body) -> tuple[dict[str, Any] | None, str | None]:
    """The uploaded key set, or None and the discovery URL."""
    kind = body.choice("type", ("discovery", "uploaded_jwks"))
    if kind == "discovery":
        url = body.text("discovery_url", nullable=True, longest=2048)
        body.done()
        if url is not None and not url.startswith("https://"):
            raise errors.invalid_value("verification.discovery_url", f"'{url}' is not an https URL.")
        return None, url
    key_set = body.object("jwks")
    body.done()
    if key_set is None:
        raise errors.missing_parameter("verification.jwks")
    _check_keys(key_set)
    return key_set, None


def _check_keys(key_set: Mapping[str, Any]) -> None:
    path = "verification.jwks"
    listed = key_set.get("keys")
    if not isinstance(listed, list) or not listed:
        raise errors.invalid_value(path, "it must have a non-empty array 'keys'.")
    held = [cast("dict[str, Any]", key) if isinstance(key, dict) else {} for key in cast("list[Any]", listed)]
    ids = [key.get("kid") for key in held]
    if not all(isinstance(kid, str) and kid for kid in ids) or len(set(ids)) < len(ids):
        raise errors.invalid_value(path, "each key must have a 'kid' of its own.")
    if any(name in key for key in held for name in _PRIVATE):
        raise errors.invalid_value(path, "it must not have private keys.")


_BASE: Final = "/workload_identity_providers"
_ONE: Final = _BASE + "/{workload_identity_provider_id}"

ROUTES = [
    admin_route("POST", _BASE, _create),
    admin_route("GET", _BASE, _list),
    admin_route("GET", _ONE, _retrieve),
    admin_route("POST", _ONE, _update),
    admin_route("DELETE", _ONE, _delete),
]
