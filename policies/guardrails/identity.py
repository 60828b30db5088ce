"""Whoever they are: nobody's IAM policy reaches our secrets, but those that belong to them.

Owns identity policies of anybody, and managed policies that are attached. Leaves out what exactly our own roles may do
(`own_roles`), who becomes them (`trust`), and what the secrets themselves say (`secret_policies`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from . import ownership
from .config import Config
from .iam import grants
from .iam.documents import NotKnownYet, Statement
from .iam.patterns import covers
from .iam.policy_holders import MANAGED_POLICY, Held, documents
from .model import Finding, Rule, Stack, unknown, violation
from .own_functions import ADMIN_READERS, ADMIN_WRITERS, READERS, WRITERS

_READERS: Final = frozenset({"runtime", "dedicated"}) | READERS
_GOVERNORS: Final = frozenset({"deployer"})
"""A pipeline's role, within what `own_deployer` lets it have."""
_OWN_POLICIES: Final = ("-read", "-boundary")


def _shared(held: Held) -> bool:
    """The cell's two managed policies: one is the runtime's, the other limits everybody and grants nothing. Who has
    them attached is looked at where they are attached; what they say, with our roles'."""
    if held.resource.type != MANAGED_POLICY or not isinstance(held.owner, str) or not held.owner.startswith("myflux-"):
        return False
    return held.owner.endswith(_OWN_POLICIES)


def _read_by(
    stack: Stack, actions: Sequence[str], targets: Sequence[str], kinds: frozenset[str], what: str, config: Config
) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        if _shared(held) or (held.role is not None and held.role.kind in kinds):
            continue
        if actions is not grants.READ and _deployer(held, config):
            continue
        for statement in grants.granted(held.statements, actions, targets):
            yield violation(held.resource, held.path, f"{_sid(statement)} allows {_some(statement, actions)} on {what}")


def _some(statement: Statement, actions: Sequence[str]) -> str:
    listed = [action for action in actions if statement.names(action)]
    return f"{listed[0]} and {len(listed) - 1} more" if len(listed) > 2 else " and ".join(listed)


def _sid(statement: Statement) -> str:
    return f"statement {statement.sid}" if statement.sid else "a statement"


def _deployer(held: Held, config: Config) -> bool:
    named = {arn.rpartition("/")[2] for arn in config.deployers}
    return isinstance(held.owner, str) and held.owner in named and held.resource.type != MANAGED_POLICY


def _secrets_read(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, grants.READ, (ownership.TENANT_SECRETS,), _READERS, "tenants' secrets", config)


def _admin_key_read(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, grants.READ, (ownership.ADMIN_SECRETS,), ADMIN_READERS, "the admin key's secret", config)


def _secrets_changed(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, grants.WRITE, (ownership.TENANT_SECRETS,), WRITERS, "tenants' secrets", config)
    yield from _read_by(
        stack, grants.WRITE, (ownership.ADMIN_SECRETS,), ADMIN_WRITERS, "the admin key's secret", config
    )
    yield from _read_by(stack, grants.GOVERN, ownership.SECRETS, _GOVERNORS, "secrets of ours", config)


def _taken_over(stack: Stack, config: Config) -> Iterator[Finding]:
    takes = (
        (grants.TAKE_A_ROLE, ownership.ROLES, "roles of ours"),
        (grants.TAKE_A_POLICY, ownership.POLICIES, "policies of ours"),
        (grants.TAKE_A_FUNCTION, ownership.FUNCTIONS, "functions of ours"),
    )
    for actions, target, what in takes:
        yield from _read_by(stack, actions, (target,), _GOVERNORS, what, config)


def _roles_passed(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        for statement in grants.granted(held.statements, (grants.HAND_ON,), (ownership.ROLES,)):
            if not _deployer(held, config) and not (held.role and held.role.kind in _GOVERNORS):
                yield violation(
                    held.resource, held.path, f"{_sid(statement)} lets its holder hand a role of ours to a service"
                )
            elif not _only_to_lambda(statement) or not _roles_of_ours(statement):
                message = f"{_sid(statement)} lets a deployer hand on other roles than ours, or to others than Lambda"
                yield violation(held.resource, held.path, message)


def _only_to_lambda(statement: Statement) -> bool:
    return statement.demands("iam:PassedToService", "lambda.amazonaws.com")


def _roles_of_ours(statement: Statement) -> bool:
    return not statement.but_resources and all(covers(ownership.ROLES, one) for one in statement.resources)


def _ours_readable(stack: Stack, _: Config) -> Iterator[Finding]:
    yield from (found for held, found in _unread(stack) if held.ours or held.use != "identity")


def _others_readable(stack: Stack, _: Config) -> Iterator[Finding]:
    yield from (found for held, found in _unread(stack) if not held.ours and held.use == "identity")


def _unread(stack: Stack) -> Iterator[tuple[Held, Finding]]:
    for held in documents(stack, "identity", "trust", "secret", "key", "topic", "queue"):
        if held.use != "identity" and not held.ours:
            continue
        if isinstance(held.trouble, NotKnownYet):
            yield held, unknown(held.resource, held.path)
        elif held.trouble is not None:
            yield held, violation(held.resource, held.path, f"the policy document can't be read: {held.trouble}")


_WHO: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html"
_ESCALATION: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"

IDENTITY_RULES: Final = (
    Rule(
        name="tenant-secrets-read-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only the runtime, a tenant's own role, the rotation and the sweep may read tenants' secrets.",
        rationale="Whoever holds the other identity reads customers' keys, and spends their money at OpenAI.",
        fix="Name the secrets that are meant, without a wildcard that also matches `myflux/`; or assume the runtime "
        "role with the tenant's tag.",
        source=_WHO,
        check=_secrets_read,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="admin-key-read-by-functions-alone",
        severity="critical",
        level="mandatory",
        description="Only the cell's own functions may read the admin key.",
        rationale="The admin key mints keys for every tenant of the cell, and changes every limit.",
        fix="Take `myflux-admin/` out of the policy; what needs the admin key is a function of the cell.",
        source=_WHO,
        check=_admin_key_read,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="secrets-changed-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only the rotation functions write our secrets, and only deployers tag, share or delete them.",
        rationale="Whoever tags a secret grants access to it; whoever writes one has tenants send their data through "
        "a key of the attacker's own; whoever sets its policy opens it.",
        fix="Take these actions out of the policy, or add the deployer's ARN to the pack's `deployers`.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access-abac.html",
        check=_secrets_changed,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="roles-and-functions-not-taken-over",
        severity="critical",
        level="mandatory",
        description="Nobody but deployers may change roles, policies and functions of ours.",
        rationale="Code put into a function of ours, or a policy put on a role of ours, reads what they read.",
        fix="Name the roles and functions that are meant, without a wildcard that also matches `myflux-`.",
        source=_ESCALATION,
        check=_taken_over,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="roles-passed-to-lambda-alone",
        severity="critical",
        level="mandatory",
        description="Nobody but deployers may pass a role of ours, and they to Lambda alone.",
        rationale="A role that reads secrets, passed to a machine or a function of the attacker's, reads for them.",
        fix="Name the roles that may be passed and add a condition on `iam:PassedToService`.",
        source=_ESCALATION,
        check=_roles_passed,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="own-documents-readable",
        severity="high",
        level="mandatory",
        description="Every policy document of ours is known before deployment and well-formed.",
        rationale="A document that nobody could look at may grant anything.",
        fix="Derive the document from names instead of from what another resource will answer.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        check=_ours_readable,
        scope="resource",
    ),
    Rule(
        name="other-documents-readable",
        severity="medium",
        level="advisory",
        description="Other identities' policy documents in the stack are known before deployment and well-formed.",
        rationale="A document that nobody could look at may reach our secrets.",
        fix="Nothing, if it names no secret: it is judged at the update, before it is made.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        check=_others_readable,
        scope="resource",
    ),
)
