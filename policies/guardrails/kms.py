"""The KMS keys that our secrets are encrypted with.

Owns keys, their policies and their grants. Leaves out which secret uses which key (`secrets`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Statement
from .iam.grants import GOVERN_A_KEY
from .iam.patterns import covers, is_wild
from .iam.policy_holders import KEY_POLICY, documents, unread
from .intake_keys import purpose, too_open
from .model import UNKNOWN, Finding, Rule, Stack, unknown, violation
from .own_grants import admin_secrets, secrets
from .targets import keys, target
from .via_service import through_secrets_manager

_GRANT: Final = "aws:kms/grant:Grant"
_DECRYPTS: Final = ("kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DeriveSharedSecret")
_USES: Final = (
    *_DECRYPTS,
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:Sign",
)
_HANDS_OUT: Final = ("kms:CreateGrant", "kms:ReplicateKey", "kms:UpdatePrimaryRegion", "kms:ImportKeyMaterial")
_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:root", re.ASCII)
_ARN: Final = "aws:principalarn"
_ADMIN_NAMES: Final = "arn:~:secretsmanager:~:~:secret:myflux-admin/*"
_VERSION: Final = "kms:encryptioncontext:secretversionid"
_VALIDATION: Final = "RequestToValidateKeyAccess"


def _policy_closed(stack: Stack, config: Config) -> Iterator[Finding]:
    ours = {key.urn for key in keys(stack)}
    for held in documents(stack, "key"):
        resource = held.resource
        about = target(stack, resource, ("keyId",), ownership.KEY) if resource.type == KEY_POLICY else "other"
        if about == "unknown":
            yield unknown(resource, "keyId")
        if about != "ours" and resource.urn not in ours and not ownership.names_ours(str(resource.get("policy"))):
            continue
        if held.trouble is not None:
            yield unread(held)
        for statement in held.statements:
            intakes = purpose(resource) if resource.type == ownership.KEY else None
            if statement.allows and (wrong := _too_open(statement, config, intakes)):
                yield violation(resource, held.path, f"{statement.called} {wrong}")
    for key in keys(stack):
        if key.get("policy") in (None, "") and not any(
            one.type == KEY_POLICY and key in ownership.sources(stack, one, "keyId") for one in stack
        ):
            yield violation(key, "policy", "the key has no policy, so the account's IAM policies decide who may use it")


def _too_open(statement: Statement, config: Config, intakes: tuple[str, str] | None) -> str:
    if statement.but_actions or statement.but_principals:
        return "uses NotAction or NotPrincipal"
    if any(is_wild(action) for action in statement.actions):
        return "allows actions with a wildcard"
    if any("*" in named for named in statement.principals.values()):
        return "has everybody (*) as its principal"
    if set(statement.principals) != {"AWS"}:
        return "names others than users, roles and the account"
    if not all(_ROOT.fullmatch(arn) or ownership.principal(arn) for arn in statement.principals["AWS"]):
        return "names others than users, roles and the account"
    if any(statement.names(action) for action in _HANDS_OUT):
        return "allows grants, replication or import of the key"
    if not any(statement.names(action) for action in _USES):
        return _governed(statement, config)
    if intakes:
        return too_open(statement, intakes, config)
    callers = _callers(statement)
    if not callers:
        return "lets the whole account use the key: aws:PrincipalArn holds no full ARN"
    known = [ownership.role_of(arn) for arn in callers]
    cells = {role.cell for role in known if role} or {"*"}
    if len(cells) > 1:
        return "lets roles of more than one cell use the key"
    tenants = {role.tenant for role in known if role and role.kind == "dedicated"} or {"*"}
    (cell,) = cells
    if len(tenants) > 1:
        return "lets roles of more than one tenant use the key"
    about = (secrets(cell, next(iter(tenants))), *admin_secrets(cell))
    if wrong := through_secrets_manager(statement, about):
        return wrong
    if any(role and role.kind == "handover" for role in known) and _more_than_decrypts(statement, cell, tenants):
        return "lets the hand-over role do more with the key than decrypt tenants' secrets"
    if any(role and role.kind == "deployer" for role in known) and not _only_validates(statement):
        return "lets a pipeline's role do more with the key than Secrets Manager's validation"
    strangers = [arn for arn in callers if ownership.role_of(arn) is None]
    return _as_deployer(statement, config, strangers) if strangers else ""


def _more_than_decrypts(statement: Statement, cell: str, tenants: set[str]) -> bool:
    decrypts = [action.lower() for action in statement.actions] == ["kms:decrypt"]
    return not decrypts or bool(through_secrets_manager(statement, (secrets(cell, next(iter(tenants))),)))


def _governed(statement: Statement, config: Config) -> str:
    """What is wrong with a statement that allows no use of the key: whoever changes its policy gives themselves that.
    The account's root leaves it to IAM policies, which `identity` judges."""
    if not any(statement.names(action) for action in GOVERN_A_KEY):
        return ""
    named = [arn for arn in statement.principals["AWS"] if not _ROOT.fullmatch(arn)]
    if any(ownership.role_of(arn) for arn in named):
        return "lets a role of ours govern the key"
    if config.deployers and any(arn not in config.deployers for arn in named):
        return "lets a principal govern the key that is not a deployer"
    return ""


def _callers(statement: Statement) -> tuple[str, ...]:
    """The full ARNs of those who may use the key; empty if others may too. The account's root stands for everybody in
    the account, a user's or a role's ARN for that one."""
    conditions = [
        c for c in statement.on(_ARN) if c.operator in ("stringequals", "arnequals") and not c.passes_when_absent
    ]
    if not conditions:
        named = statement.principals["AWS"]
        return () if any(map(_ROOT.fullmatch, named)) else named
    values = conditions[0].values
    full = all(not is_wild(arn) and ownership.principal(arn) is not None for arn in values)
    return values if len(conditions) == 1 and full else ()


def _as_deployer(statement: Statement, config: Config, strangers: list[str]) -> str:
    if config.deployers and any(arn not in config.deployers for arn in strangers):
        return "lets a principal use the key that is neither a role of ours nor a deployer"
    if _only_validates(statement) or not any(statement.names(action) for action in _DECRYPTS):
        return ""
    named = [value for c in statement.on("kms:EncryptionContext:SecretARN") for value in c.values]
    if all(covers(_ADMIN_NAMES, value) for value in named):
        return ""
    return "lets a principal that is not a role of ours decrypt tenants' secrets"


def _only_validates(statement: Statement) -> bool:
    return statement.demands(_VERSION, _VALIDATION)


def _grants(stack: Stack, _: Config) -> Iterator[Finding]:
    for grant in (one for one in stack if one.type == _GRANT):
        named = target(stack, grant, ("keyId",), ownership.KEY)
        if named == "ours":
            yield violation(grant, "keyId", "the grant lets its grantee use the key whatever the key's policy says")
        elif named == "unknown":
            yield unknown(grant, "keyId")


def _kept(stack: Stack, config: Config) -> Iterator[Finding]:
    for key in keys(stack):
        rotates = key.get("enableKeyRotation")
        # KMS rotates no key that signs: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
        signs = key.get("keyUsage") == "GENERATE_VERIFY_MAC" and purpose(key)
        if rotates is UNKNOWN:
            yield unknown(key, "enableKeyRotation")
        elif rotates is not True and not signs:
            yield violation(key, "enableKeyRotation", "KMS does not rotate the key's material")
        for path in ("rotationPeriodInDays", "bypassPolicyLockoutSafetyCheck"):
            if key.get(path) is UNKNOWN:
                yield unknown(key, path)
        if (key.number("rotationPeriodInDays") or 0) > 365:
            yield violation(key, "rotationPeriodInDays", "KMS rotates the key's material less often than yearly")
        window = key.get("deletionWindowInDays")
        if window is UNKNOWN:
            yield unknown(key, "deletionWindowInDays")
        elif window is not None and (key.number("deletionWindowInDays") or 0) < config.min_key_deletion_days:
            message = f"the key can be deleted within {window} days; the least is {config.min_key_deletion_days}"
            yield violation(key, "deletionWindowInDays", message)
        if key.get("bypassPolicyLockoutSafetyCheck") is True:
            yield violation(key, "bypassPolicyLockoutSafetyCheck", "KMS would accept a policy that denies everybody")


_BEST: Final = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"

KMS_RULES: Final = (
    Rule(
        name="kms-key-used-through-secrets-manager",
        severity="critical",
        level="mandatory",
        description="Our KMS keys can be used only by named roles, through Secrets Manager, for named secrets, and "
        "their policies let only the account and deployers govern them.",
        rationale="Whoever may use the key directly, or change its policy, can decrypt copies of secrets, whatever the "
        "secrets' policies say.",
        fix="Keep `secrets_key` of components/iam/resource.py: no wildcard, `kms:ViaService`, "
        "`kms:EncryptionContext:SecretARN` and `aws:PrincipalArn` in every statement that uses the key.",
        source=_BEST,
        check=_policy_closed,
        settings=("deployers",),
    ),
    Rule(
        name="kms-key-not-handed-on",
        severity="critical",
        level="mandatory",
        description="Our KMS keys have no grants.",
        rationale="A grant allows use of the key but is not visible in the key's policy.",
        fix="Remove the grant and name the role in the key's policy.",
        source="https://docs.aws.amazon.com/kms/latest/developerguide/grants.html",
        check=_grants,
    ),
    Rule(
        name="kms-key-kept",
        severity="high",
        level="mandatory",
        description="KMS rotates our keys yearly, and their deletion can be cancelled for long enough.",
        rationale="Without the KMS key no secret can be decrypted: deleting it stops every tenant.",
        fix="Set `enable_key_rotation` and `deletion_window_in_days=30`, as components/encryption_key.py does.",
        source="https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        check=_kept,
        settings=("min_key_deletion_days",),
    ),
)
