"""No identity's IAM policy allows access to our secrets, roles and functions, except those that need it.

Owns the identity policies of all users, groups and roles, ours or not. Leaves out what exactly our own roles may do
(`own_roles`), who may assume them (`trust`), and the secrets' own policies (`secret_policies`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from . import ownership
from .config import Config
from .iam import grants
from .iam.documents import Statement
from .iam.patterns import complete, covers
from .iam.policy_holders import MANAGED_POLICY, ROLE_POLICY, HeldDocument, documents, unread
from .model import Finding, Rule, Stack, violation
from .own_functions import ADMIN_READERS, ADMIN_WRITERS, PROMOTERS, READERS, WRITERS
from .own_grants import OF_ONE_TENANT

_READERS: Final = frozenset(OF_ONE_TENANT) | READERS
_VALUE: Final = (grants.READ[0],)
"""BatchGetSecretValue alone reads nothing: AWS demands GetSecretValue for each secret as well.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html"""
_GOVERNORS: Final = frozenset({"deployer"})
"""A pipeline's role, within the limits of `own_deployer`."""
_ANY_OF_OURS: Final = "arn:~:iam::~:role/myflux-*"
_KEYS: Final = "arn:~:kms:~:~:key/????????-????-????-????-????????????"
_ANY_KEY: Final = re.compile(r"\*+|arn:[^:]*:[^:]*:[^:]*:[^:]*:(key/)?\*+")
_OWN_POLICIES: Final = ("read", "boundary")
_IDENTITIES: Final = {
    ROLE_POLICY: "role",
    ownership.ROLE: "role",
    "aws:iam/userPolicy:UserPolicy": "user",
}
"""Whose policy a type holds, as in an ARN. A group of a deployer's name is no deployer."""

_WRITERS: Final = WRITERS | frozenset(PROMOTERS)


def _shared(held: HeldDocument, *, pipelines: bool) -> bool:
    """Whether it is one of the cell's managed policies: the runtime's, the permissions boundary, which grants nothing,
    and, with `pipelines`, those of a pipeline. `own_roles` checks their content and `own_attachments` who has them, so
    that only the names that they know count."""
    if held.resource.type != MANAGED_POLICY or not isinstance(held.owner, str):
        return False
    found = ownership.CELLS_POLICY.fullmatch(held.owner)
    return found is not None and (pipelines or found["kind"] in _OWN_POLICIES)


def _read_by(
    stack: Stack, actions: Sequence[str], targets: Sequence[str], kinds: frozenset[str], what: str, config: Config
) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        if _shared(held, pipelines=kinds is _GOVERNORS) or (held.role is not None and held.role.kind in kinds):
            continue
        if actions is not _VALUE and _deployer(held, config):
            continue
        for statement in grants.granted(held.statements, actions, targets):
            yield violation(held.resource, held.path, f"{_sid(statement)} allows {_some(statement, actions)} on {what}")


def _some(statement: Statement, actions: Sequence[str]) -> str:
    listed = [action for action in actions if statement.names(action)]
    return f"{listed[0]} and {len(listed) - 1} more" if len(listed) > 2 else " and ".join(listed)


def _sid(statement: Statement) -> str:
    """Other teams' names of statements can be words, such as Allow."""
    return f"statement {statement.sid or statement.place}"


def _deployer(held: HeldDocument, config: Config) -> bool:
    kind = _IDENTITIES.get(held.resource.type)
    named = {arn.rpartition("/")[2] for arn in config.deployers if f":{kind}/" in arn}
    return isinstance(held.owner, str) and held.owner in named


def _secrets_read(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, _VALUE, (ownership.TENANT_SECRETS,), _READERS, "tenants' secrets", config)


def _admin_key_read(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, _VALUE, (ownership.ADMIN_SECRETS,), ADMIN_READERS, "the admin key's secret", config)


def _secrets_changed(stack: Stack, config: Config) -> Iterator[Finding]:
    yield from _read_by(stack, grants.WRITE, (ownership.TENANT_SECRETS,), _WRITERS, "tenants' secrets", config)
    yield from _read_by(
        stack, grants.WRITE, (ownership.ADMIN_SECRETS,), ADMIN_WRITERS, "the admin key's secret", config
    )
    yield from _read_by(stack, grants.GOVERN, ownership.SECRETS, _GOVERNORS, "secrets of ours", config)


def _taken_over(stack: Stack, config: Config) -> Iterator[Finding]:
    takes = (
        (grants.TAKE_A_ROLE, ownership.ROLES, "roles of ours"),
        (grants.TAKE_A_POLICY, ownership.POLICIES, "policies of ours"),
        (grants.TAKE_A_FUNCTION, ownership.FUNCTIONS, "functions of ours"),
        (grants.CALL_A_FUNCTION, ownership.FUNCTIONS, "functions of ours"),
        (grants.CALL_BY_A_RULE, ownership.CALLING_RULES, "rules that call functions of ours"),
    )
    for actions, targets, what in takes:
        yield from _read_by(stack, actions, targets, _GOVERNORS, what, config)
    for held in documents(stack, "identity"):
        if _shared(held, pipelines=True) or _deployer(held, config):
            continue
        if held.role is not None and held.role.kind in _GOVERNORS:
            continue
        for statement in grants.granted(held.statements, grants.GOVERN_A_KEY, (_KEYS,)):
            if not statement.conditions and _on_any_key(statement):
                message = f"{_sid(statement)} allows {_some(statement, grants.GOVERN_A_KEY)} on any KMS key, so on ours"
                yield violation(held.resource, held.path, message)


def _on_any_key(statement: Statement) -> bool:
    """A key has no name, so that one in a statement is not known to be ours; a star is."""
    return statement.but_resources or any(_ANY_KEY.fullmatch(complete(one)) for one in statement.resources)


def _roles_passed(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        for statement in grants.granted(held.statements, (grants.HAND_ON,), ownership.ROLES):
            if not _deployer(held, config) and not (held.role and held.role.kind in _GOVERNORS):
                yield violation(held.resource, held.path, f"{_sid(statement)} allows iam:PassRole for a role of ours")
            elif not _only_to_lambda(statement) or not _roles_of_ours(statement):
                message = (
                    f"{_sid(statement)} allows iam:PassRole for other roles than ours, or to other services than Lambda"
                )
                yield violation(held.resource, held.path, message)


def _only_to_lambda(statement: Statement) -> bool:
    return statement.demands("iam:PassedToService", "lambda.amazonaws.com")


def _roles_of_ours(statement: Statement) -> bool:
    return not statement.but_resources and all(covers(_ANY_OF_OURS, one) for one in statement.resources)


def _ours_readable(stack: Stack, _: Config) -> Iterator[Finding]:
    yield from (found for held, found in _unread(stack) if held.ours or held.use != "identity")


def _others_readable(stack: Stack, _: Config) -> Iterator[Finding]:
    yield from (found for held, found in _unread(stack) if not held.ours and held.use == "identity")


def _unread(stack: Stack) -> Iterator[tuple[HeldDocument, Finding]]:
    for held in documents(stack, "identity", "trust", "secret", "key", "topic", "queue"):
        if held.use != "identity" and not held.ours:
            continue
        if held.trouble is not None:
            yield held, unread(held)


_WHO: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html"
_ESCALATION: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"

IDENTITY_RULES: Final = (
    Rule(
        name="tenant-secrets-read-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only the runtime, a tenant's own role, the hand-over role, the rotation, the sweep and the health "
        "function may read tenants' secrets.",
        rationale="The other identity can read customers' keys and spend their money at OpenAI.",
        fix="Name the secrets that are meant, without a wildcard that also matches `myflux/`. To read a tenant's "
        "key, assume the runtime role with the tenant's tag.",
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
        rationale="With the admin key one can mint keys for every tenant of the cell and change every limit.",
        fix="Name the secrets that are meant, without a wildcard that also matches `myflux-admin/`. Only the cell's "
        "functions need the admin key.",
        source=_WHO,
        check=_admin_key_read,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="secrets-changed-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only the rotation functions write our secrets; only deployers tag, share or delete them.",
        rationale="Tags decide who may read a secret; a written value makes tenants send their data with the "
        "attacker's own key; a changed policy lets others read it.",
        fix="Remove these actions from the policy, or add the deployer's ARN to the pack's `deployers`.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access-abac.html",
        check=_secrets_changed,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="roles-and-functions-not-taken-over",
        severity="critical",
        level="mandatory",
        description="Of all identities, only deployers may change our roles, policies and functions, call our "
        "functions, set when and with what our rules call them, or govern every KMS key.",
        rationale="Whoever changes a function's code or a role's policy can read what the function or role can read. "
        "Whoever calls a function can have it rotate or revoke keys. Deleting our KMS key stops every tenant.",
        fix="Name the roles, functions, rules and KMS keys that are meant, without a wildcard that also matches ours.",
        source=_ESCALATION,
        check=_taken_over,
        scope="resource",
        settings=("deployers",),
    ),
    Rule(
        name="roles-passed-to-lambda-alone",
        severity="critical",
        level="mandatory",
        description="Only deployers may pass our roles to a service, and only to Lambda.",
        rationale="An attacker passes a role that reads secrets to their own machine or function, which then reads "
        "them.",
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
        description="Each of our policy documents is known before deployment and well-formed.",
        rationale="A document that cannot be checked may allow anything.",
        fix="Derive the document from names, not from another resource's outputs.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        check=_ours_readable,
        scope="resource",
    ),
    Rule(
        name="other-documents-readable",
        severity="medium",
        level="advisory",
        description="Other identities' policy documents in the stack are known before deployment and well-formed.",
        rationale="A document that cannot be checked may allow access to our secrets.",
        fix="Nothing to do if it names no secret: the update judges it again, before it is created.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        check=_others_readable,
        scope="resource",
    ),
)
