"""Carries out the decision about a key. A call that fails is reported with its finding and does not stop the others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from functions.shared import log
from functions.shared.openai_admin import ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.sweep.facts import Finding
from myflux_keys.payload import iso

NOT_DONE: Final = "not done"


@dataclass(frozen=True)
class Result:
    """`outcome` is ``deleted`` or ``gone`` (read back: OpenAI has no such key), ``expired`` or ``dies <time>``
    (OpenAI's answer), ``not done: <error>``, or None if nothing was to be done."""

    finding: Finding
    outcome: str | None

    @property
    def failed(self) -> bool:
        return self.outcome is not None and self.outcome.startswith(NOT_DONE)

    def shown(self) -> dict[str, Any]:
        return {**self.finding.shown(), "outcome": self.outcome}


def carry_out(finding: Finding, keys: ProjectKeys, *, dry_run: bool) -> Result:
    result = Result(finding, None if dry_run else _outcome(finding, keys))
    if finding.found != "kept":
        level = logging.ERROR if result.failed else logging.WARNING
        consumers = " ".join(finding.consumers)
        log.line("sweep.finding", level=level, **result.shown(), consumers=consumers, dry_run=dry_run)
    return result


def _outcome(finding: Finding, keys: ProjectKeys) -> str | None:
    try:
        if finding.action == "revoke":
            # `expired` if OpenAI refuses to delete a service account's key: it is invalid within a second.
            return keys.end(finding.key_id)
        if finding.seconds is not None:
            expires_at = keys.expire(finding.key_id, finding.seconds)
            return "gone" if expires_at is None else f"dies {iso(expires_at)}"
    except OpenAIError as error:
        return f"{NOT_DONE}: {error}"
    return None
