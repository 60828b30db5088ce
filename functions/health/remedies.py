"""The command that a person types against each kind of trouble, and the page about it. The same in every language.

In braces as in the texts. A kind without a command is mended at OpenAI, or by waiting.
"""

from __future__ import annotations

from typing import Final

from functions.health.trouble import KINDS

DEPLOY: Final = "myflux-keys up {tenant}"
"""Also in the place of a rotation, where there is no key."""
SET_AGAIN: Final = "myflux-keys up {tenant} --refresh"
"""Also sets what somebody changed by hand."""
ROTATE: Final = "myflux-keys rotate {tenant} --wait"
_HAND_OVER: Final = "myflux-keys handover {tenant} --consumer {subject}"
NEW_KEY: Final = "myflux-keys key set {tenant}"
"""Instead, where the key is a customer's own."""

COMMANDS: Final = {
    "key_refused": ROTATE,
    "project_spend_limit": DEPLOY,
    "rate_limited": DEPLOY,
    "scopes_missing": ROTATE,
    "model_not_allowed": DEPLOY,
    "model_retiring": DEPLOY,
    "model_retired": DEPLOY,
    "budget_reached": DEPLOY,
    "budget_forecast": DEPLOY,
    "limit_drift": SET_AGAIN,
    "key_expiring": ROTATE,
    "rotation_late": ROTATE,
    "person_owned_key": NEW_KEY,
    "token_refused": SET_AGAIN,
    "secret_missing": DEPLOY,
    "secret_left": "myflux-keys credential {tenant} --federated",
    "identity_missing": SET_AGAIN,
    "secret_deleting": "myflux-keys status --cell {cell}",
    "undeclared": "myflux-keys sweep --cell {cell} --dry-run",
    "handover_due": _HAND_OVER,
    "handover_doubted": _HAND_OVER,
    "handover_last_day": _HAND_OVER,
    "handover_missed": _HAND_OVER,
    "country_dropped": "myflux-keys disable {tenant}",
}


def page(kind: str) -> str:
    """Several kinds with one metric have one section."""
    return f"docs/runbook.md#{KINDS[kind].metric.lower()}"
