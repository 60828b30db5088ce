"""The command that a person types against each kind of trouble, and the page about it. The same in every language.

In braces as in the texts. A kind without a command is mended at OpenAI, or by waiting.
"""

from __future__ import annotations

from typing import Final

from functions.health.trouble import KINDS

_DEPLOY: Final = "myflux-keys up {tenant}"
_ROTATE: Final = "myflux-keys rotate {tenant} --wait"
_HAND_OVER: Final = "myflux-keys handover {tenant} --consumer {subject}"
NEW_KEY: Final = "myflux-keys key set {tenant}"
"""Instead, where the key is a customer's own."""

COMMANDS: Final = {
    "key_refused": _ROTATE,
    "project_spend_limit": _DEPLOY,
    "rate_limited": _DEPLOY,
    "scopes_missing": _ROTATE,
    "model_not_allowed": _DEPLOY,
    "model_retiring": _DEPLOY,
    "model_retired": _DEPLOY,
    "budget_reached": _DEPLOY,
    "budget_forecast": _DEPLOY,
    "limit_drift": _DEPLOY,
    "key_expiring": _ROTATE,
    "rotation_late": _ROTATE,
    "person_owned_key": NEW_KEY,
    "secret_missing": _DEPLOY,
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
