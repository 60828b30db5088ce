"""The two KMS keys of connect: one encrypts what customers hand in, one signs links.

Owns what their policies, and the roles of page and promoter, may say about them. A key policy is known by the key's
tags, what a role may do by the key's alias.
"""

from __future__ import annotations

from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Statement
from .model import Resource
from .own_functions import PAGES, PROMOTERS

_ARN: Final = "aws:principalarn"
_ALIASES: Final = "kms:resourcealiases"
INTAKE, LINK = "intake", "link"
VERIFY_MAC: Final = "kms:VerifyMac"
_USES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    INTAKE: {"kms:encrypt": PAGES, "kms:decrypt": PROMOTERS},
    LINK: {"kms:verifymac": (*PAGES, *PROMOTERS), "kms:generatemac": ()},
}
"""By key, then by action: the functions that may. Nobody else may, but the deployers may sign."""


def on_intakes_key(statement: Statement, role: ownership.OurRole) -> bool:
    """Whether an identity statement is about these two keys of the role's cell alone, by their aliases."""
    ours = {f"alias/myflux-{one}/{role.cell}" for one in (INTAKE, LINK)}
    named = [c for c in statement.on(_ALIASES) if c.operator == "stringequals" and not c.passes_when_absent]
    return bool(named) and all(set(c.values) <= ours for c in named)


def purpose(key: Resource) -> tuple[str, str] | None:
    """Which of the two a key is, and its cell, by its tags; None for any other key."""
    which = key.text("tags", "purpose")
    return (which, key.text("tags", "cell")) if which in _USES else None


def too_open(statement: Statement, known: tuple[str, str], config: Config) -> str:
    """What is wrong with a statement of such a key's policy that allows a use of it."""
    which, cell = known
    allowed = _USES[which]
    for action in statement.actions:
        if action.lower() not in allowed:
            return f"allows {action}, which is no use of this key"
    callers = [
        c for c in statement.on(_ARN) if c.operator in ("stringequals", "arnequals") and not c.passes_when_absent
    ]
    arns = [arn for c in callers for arn in c.values]
    if len(callers) != 1 or not arns:
        return "lets the whole account use the key: aws:PrincipalArn holds no full ARN"
    for arn in arns:
        role = ownership.role_of(arn)
        for action in statement.actions:
            if role is not None and (role.cell != cell or role.kind not in allowed[action.lower()]):
                return f"lets a role of ours use the key that has no use for {action}"
            if role is None and action.lower() != "kms:generatemac":
                return f"lets others than our functions use the key ({action})"
        if role is None and config.deployers and arn not in config.deployers:
            return "lets a principal sign links that is not a deployer"
    return ""
