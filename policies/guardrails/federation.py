"""Tokens in place of keys: who gets one of AWS's, and which of them OpenAI exchanges for a tenant.

Owns the conditions on sts:GetWebIdentityToken, and the federation rule that a tenant's stack asks for. Leaves out which
roles may ask (`own_grants`): the runtime alone, and no role for a token with tags of its own choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .function_environment import is_openais
from .iam.documents import Statement
from .iam.policy_holders import documents
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_grants import GET_WEB_IDENTITY
from .own_roles import whose

_OWN: Final = "${aws:PrincipalTag/tenant}"
_AUDIENCE: Final = "sts:IdentityTokenAudience"
_MOST_SECONDS: Final = 900
_IDENTITIES: Final = "declarations/identities/"
_ISSUER: Final = re.compile(
    r"https://[0-9a-f-]{36}\.tokens\.sts\.(global|[a-z]+(-[a-z]+)+-[0-9])\.api\.(aws|amazonwebservices\.com\.cn)",
    re.ASCII,
)
"""An AWS account's own: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html. Whoever runs
another issuer signs tokens for every tenant."""


def _held(stack: Stack, _: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        role = whose(held)
        if role is None:
            continue
        for statement in held.statements:
            if not statement.allows:
                continue
            if statement.can_name(GET_WEB_IDENTITY) and (wrong := _too_free(statement, role)):
                yield violation(held.resource, held.path, f"{statement.called} allows a token {wrong}")
            if role.kind == "runtime" and statement.can_name("s3:*") and not all(map(_own, statement.resources)):
                yield violation(held.resource, held.path, f"{statement.called} allows other tenants' identities")


def _own(resource: str) -> bool:
    return resource.endswith(f"/identities/{_OWN}.json")


def _too_free(statement: Statement, role: ownership.OurRole) -> str:
    """How a token may differ from one for OpenAI, of minutes, for the session's own tenant; empty if it may not."""
    ours = (f"myflux-{role.cell}",)
    every = [c for c in statement.on(_AUDIENCE) if c.over == "forallvalues" and c.operator == "stringequals"]
    if not any(c.values == ours for c in every):
        return f"for another audience than {ours[0]}"
    if not any(c.demands_presence for c in statement.on(_AUDIENCE)):
        return "without an audience"
    if role.kind == "boundary":
        return ""
    if not any(c.demands_presence for c in statement.on("aws:PrincipalTag/tenant")):
        return "to a session without a tenant"
    if not any(_short(c.operator, c.values) and c.demands_presence for c in statement.on("sts:DurationSeconds")):
        return f"of more than {_MOST_SECONDS} seconds"
    return "" if statement.demands("sts:SigningAlgorithm", "ES384") else "signed otherwise than by ES384"


def _short(operator: str, values: tuple[str, ...]) -> bool:
    limits = operator == "numericlessthanequals" and len(values) == 1 and values[0].isdecimal()
    return limits and int(values[0]) <= _MOST_SECONDS


def _matched(stack: Stack, config: Config) -> Iterator[Finding]:
    for call in stack:
        if call.type == ownership.OBJECT:
            yield from _addressed(call, config)
        if call.type != ownership.INVOCATION:
            continue
        if call.get("input") is UNKNOWN:
            yield unknown(call, "input")
            continue
        asked = ownership.request(call)
        federation = asked.get("federation")
        if federation is None:
            continue
        if not isinstance(federation, dict):
            yield violation(call, "input.federation", "it is no object")
            continue
        for field, message in _strange(cast("dict[str, Any]", federation), str(asked.get("cell"))):
            yield violation(call, f"input.federation.{field}", message)


def _addressed(held: Resource, config: Config) -> Iterator[Finding]:
    """A reader sends its token to the address that the identity names. Unknown until the provisioner has answered, and
    then judged before it is written."""
    content = held.get("content")
    if not str(held.get("key")).startswith(_IDENTITIES) or content is UNKNOWN:
        return
    try:
        address = str(json.loads(str(content))["base_url"])
    except (ValueError, KeyError, TypeError):
        address = ""
    if not is_openais(address, "", config):
        yield violation(held, "content", "the identity sends tokens to a host that is not OpenAI's, or without https")


def _strange(federation: Mapping[str, Any], cell: str) -> Iterator[tuple[str, str]]:
    subject, issuer = str(federation.get("subject")), str(federation.get("issuer"))
    role = ownership.role_of(subject) if ownership.principal(subject) else None
    if role != ownership.OurRole(cell, "runtime"):
        yield "subject", "the rule accepts tokens of another identity than the cell's runtime role"
    if federation.get("audience") != f"myflux-{cell}":
        yield "audience", "the rule accepts tokens for another audience than the cell's"
    if not _ISSUER.fullmatch(issuer):
        yield "issuer", "the rule accepts tokens of an issuer that is no AWS account"


_ABOUT: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html"

FEDERATION_RULES: Final = (
    Rule(
        name="tokens-for-ones-own-tenant",
        severity="critical",
        level="mandatory",
        description="A token in place of a key is for the cell's audience, of at most 15 minutes, signed by ES384, and "
        "only for a session that is tagged with a tenant, which reads its own identity alone.",
        rationale="A token for another audience, or without a tenant, is exchanged where nobody expects it; a long one "
        "cannot be taken back.",
        fix="Keep components/iam/federation.py: every value of sts:IdentityTokenAudience is the cell's, a Null "
        "condition demands one, and sts:DurationSeconds is at most 900.",
        source=_ABOUT,
        check=_held,
        scope="resource",
    ),
    Rule(
        name="rules-match-the-runtime-alone",
        severity="critical",
        level="mandatory",
        description="A tenant's federation rule at OpenAI accepts tokens of the cell's runtime role, for the cell's "
        "audience, from an AWS account's issuer, and its identity sends tokens to OpenAI.",
        rationale="Whoever gets such a token from another role or issuer calls OpenAI as the tenant, without a key.",
        fix="Leave the provisioner's input to program.py; in the cell's file, `issuer` is the account's own.",
        source=_ABOUT,
        check=_matched,
        scope="resource",
    ),
)
