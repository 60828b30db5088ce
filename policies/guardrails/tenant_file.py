"""A tenant's key and project match the tenant's file.

Owns the comparison with the file, which the pack gets as its setting `promises`. Leaves out the secret's other tags
(`secrets`) and how often its key is rotated (`rotation`). Without the setting nothing is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_PROJECTS: Final = ("models", "rate_limits", "budget")


def _kept(stack: Stack, config: Config) -> Iterator[Finding]:
    promises = config.by_tenant
    for resource in stack if promises else ():
        if (
            resource.type == ownership.A_SECRET
            and (place := ownership.place_of(resource.text("name")))
            and not place.admin
        ):
            yield from _key(resource, promises.get(place.tenant))
        elif resource.type == ownership.INVOCATION:
            yield from _project(resource, promises)


def _key(secret: Resource, promise: Mapping[str, Any] | None) -> Iterator[Finding]:
    if promise is None:
        yield violation(secret, "name", "no tenant's file matches this secret")
        return
    # A key that a customer provides has the permission that they chose.
    minted = promise.get("permission") is not None
    wanted = {"permission": promise.get("permission"), "models": " ".join(promise.get("models") or ())}
    for tag, value in wanted.items():
        found = secret.get("tags", f"myflux:{tag}")
        if found is UNKNOWN:
            yield unknown(secret, f"tags.myflux:{tag}")
        elif found != (value if minted else None):
            yield violation(secret, f"tags.myflux:{tag}", f"the tag differs from {tag} in the tenant's file")


def _project(call: Resource, promises: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    if call.get("input") is UNKNOWN:
        yield unknown(call, "input")
        return
    request = ownership.request(call)
    if not str(request.get("project", "")).startswith("myflux-"):
        return
    promise = promises.get(str(request.get("tenant")))
    if promise is None:
        yield violation(call, "input", "no tenant's file matches this project")
        return
    for field in _PROJECTS:
        if _without_none(request.get(field)) != _without_none(promise.get(field)):
            yield violation(call, f"input.{field}", f"the project's {field} differ from the tenant's file")
    yield from _keyless(call, request, promise)


def _keyless(call: Resource, request: Mapping[str, Any], promise: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the runtime gets tokens, and with which permission; whether the tenant's keys are ended."""
    states = (promise.get("credential") or "key", promise.get("switching_from"))
    federation = request.get("federation")
    if federation is not None and "federated" not in states:
        yield violation(call, "input.federation", "the tenant's file has a key, and the project a federation rule")
    elif isinstance(federation, dict):
        permission = cast(dict[str, Any], federation).get("permission")
        if permission != promise.get("permission"):
            yield violation(call, "input.federation.permission", "the permission differs from the tenant's file")
    if request.get("keys", True) is not ("key" in states):
        yield violation(call, "input.keys", "whether the tenant has keys differs from the tenant's file")


def _without_none(value: Any) -> Any:
    """`value` without fields that are None: they mean the same as missing ones."""
    if not isinstance(value, dict):
        return value
    return {key: _without_none(one) for key, one in cast(dict[str, Any], value).items() if one is not None}


PROMISE_RULES: Final = (
    Rule(
        name="tenant-gets-what-its-file-says",
        severity="high",
        level="mandatory",
        description="A tenant's keys and project have the permission, models, rate limits and budget of its file; a "
        "tenant has tokens in place of keys only where its file says so.",
        rationale="A stolen key with more permissions, or without limits and budget, costs the tenant more.",
        fix="Change the tenant's file, where a review shows the change with its cost; program.py applies it.",
        source="https://platform.openai.com/docs/api-reference/project-rate-limits",
        check=_kept,
        scope="resource",
        settings=("promises",),
    ),
)
