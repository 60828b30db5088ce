"""Troubles as rows: those that the health function found, orphans, and roles that trust somebody deleted. Pure.

Owns how bad each kind is. Leaves out the words of the health function's kinds, which are those of its messages
(`functions/health/messages.py`), and of orphans (`orphans.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from functions.health.history import Trouble
from functions.health.messages import said
from functions.health.notices import Notice, Scope
from functions.health.remedies import page
from functions.health.trouble import KINDS
from functions.sweep.trust import DeadTrust
from myflux_keys.declaration import Declaration
from ops.actions.fleet_view import Severity, TroubleView
from ops.actions.orphans import RUNBOOK, Orphan
from ops.actions.trust import sentence, way_out

_BROKEN: Final = frozenset(
    {
        *("key_refused", "token_refused", "identity_missing"),
        *("balance_gone", "organization_spend_limit", "organization_usage_limit", "quota_unnamed"),
        *("project_spend_limit", "limit_raised_waiting", "country_refused", "address_refused", "tier_refused"),
        *("scopes_missing", "model_not_allowed", "model_retired", "secret_missing", "secret_deleting"),
        "handover_missed",
        *("SecretDeleted", "SecretMissing", "SecretMistagged", "ProjectMissing"),
    }
)
"""Calls fail, all or those of a model, or nobody can read the key."""
_UNKNOWN: Final = frozenset({"openai_silent", "models_hidden"})
"""They say that something cannot be seen."""
_COMMAND: Final = re.compile(r"`([^`]+)`")


def severity_of(kind: str) -> Severity:
    if kind in _BROKEN:
        return "broken"
    return "unknown" if kind in _UNKNOWN else "attention"


def words(kind: str) -> str:
    """A kind as a state: ``key refused``."""
    return kind.replace("_", " ")


def of_health(trouble: Trouble, scope: Scope, cell: str, declared: Mapping[str, Declaration]) -> TroubleView:
    """In English, as the function's message. `declared` says whose a tenant's organization is. A later version's kind
    has no words here, and is told all the same."""
    if trouble.kind not in KINDS:
        told_by_another = f"the health function found `{trouble.kind}`, which this checkout does not know"
        do = "look with a checkout of the version that the cell's platform has"
        return TroubleView(trouble.kind, "attention", told_by_another, datetime.fromtimestamp(trouble.since, UTC), do)
    told = said(Notice("started", trouble, (scope,)), cell, "en", declared)
    return TroubleView(
        trouble.kind,
        severity_of(trouble.kind),
        told.what,
        datetime.fromtimestamp(trouble.since, UTC),
        told.do,
        told.command,
        page(trouble.kind),
        told.whose,
    )


def of_orphan(orphan: Orphan) -> TroubleView:
    do = orphan.way_out.rstrip(".")
    return TroubleView(
        orphan.kind,
        severity_of(orphan.kind),
        orphan.reason,
        do=do,
        command=first_command(do),
        page=f"{RUNBOOK}#{orphan.kind.lower()}",
    )


def of_trust(cell: str, dead: DeadTrust) -> TroubleView:
    told = sentence(cell, dead).rstrip(".")
    page_of = f"{RUNBOOK}#trustedprincipalgone"
    return TroubleView(
        "trusted_principal_gone", "attention", told, command=first_command(way_out(cell, dead)), page=page_of
    )


def first_command(sentence: str) -> str | None:
    """The first that stands in backquotes."""
    found = _COMMAND.search(sentence)
    return found[1] if found else None
