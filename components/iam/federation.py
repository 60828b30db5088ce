"""Tokens in place of keys: who may ask AWS for one, and for whom, as pure functions that return dicts.

Owns the statements on tokens and on tenants' identities. Leaves out the rule at OpenAI that a token must match, which
the provisioner makes. Why like this: docs/adr/0043-no-key-at-all.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from components.iam.statements import Statement, allow
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS
from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS
from myflux_keys.names import TAG_TENANT

_ASK: Final = "sts:GetWebIdentityToken"
"""It has no resource. sts:TagGetWebIdentityToken is allowed to nobody: a session would choose such a tag itself."""
_AUDIENCE: Final = "sts:IdentityTokenAudience"
_OWN: Final = "${aws:PrincipalTag/" + TAG_TENANT + "}"


def runtime_without_key(names: CellNames) -> list[Statement]:
    """A session reads its own tenant's identity, and gets a token for OpenAI alone, of minutes, with its own tag."""
    only_ours = _only_for(names)
    only_ours["Null"][f"aws:PrincipalTag/{TAG_TENANT}"] = "false"
    return [
        allow("ReadOwnIdentity", "s3:GetObject", [f"{names.health_bucket_arn}/{names.tenant(_OWN).identity}"]),
        allow(
            "TokenOfOwnTenant",
            _ASK,
            ["*"],
            only_ours
            | {
                "NumericLessThanEquals": {"sts:DurationSeconds": str(TOKEN_SECONDS)},
                "StringEquals": {"sts:SigningAlgorithm": ALGORITHM},
            },
        ),
    ]


def runtime_callers(names: CellNames, principals: Sequence[str], *, federation: bool) -> list[str]:
    """Who may assume the runtime role: `principals` (ARNs), and with federation the functions that watch, which get a
    tenant's token as the runtime does."""
    watchers = [names.function_role_arn(one) for one in FUNCTIONS if one.watches]
    return [*principals, *(watchers if federation else [])]


def become_runtime(names: CellNames) -> Statement:
    """For a function that watches. It reads every tenant's key too, so this gives it nothing more."""
    return allow("CallAsATenant", ["sts:AssumeRole", "sts:TagSession"], [names.runtime_role_arn])


def bounded_tokens(names: CellNames) -> list[Statement]:
    """The most that any role of the cell may do for a token."""
    return [allow("TokensForThisCell", _ASK, ["*"], _only_for(names)), become_runtime(names)]


def _only_for(names: CellNames) -> dict[str, Any]:
    """One audience and no second. ForAllValues alone would hold for a request without any."""
    return {"ForAllValues:StringEquals": {_AUDIENCE: names.identity_audience}, "Null": {_AUDIENCE: "false"}}
