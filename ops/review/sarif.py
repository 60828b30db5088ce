"""A review as SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

Owns the format, and GitHub's further rules: every result has a file and a line, and a fingerprint that stays the same
when the line moves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from ops.review.file_line import Place
from ops.review.remark import Outcome, Remark

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Outcome.VIOLATION: "error", Outcome.UNJUDGED: "error", Outcome.ADVICE: "warning"}
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
"""GitHub's security-severity: above 9.0 critical, from 7.0 high, from 4.0 medium."""
_NOWHERE: Final = Place("program.py")
"""The file of a result that no line causes: the program."""


def sarif(remarks: Sequence[Remark]) -> dict[str, Any]:
    """The SARIF log of `remarks`. A rule's description is its first remark."""
    rules = {remark.rule: remark for remark in reversed(remarks)}
    order = sorted(rules)
    driver = {
        "name": "myflux-keys check",
        "semanticVersion": "2.1.0",
        "rules": [_rule(rules[name]) for name in order],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The repository's root."}}},
                "results": [_result(remark, order.index(remark.rule)) for remark in remarks],
            }
        ],
    }


def _rule(remark: Remark) -> dict[str, Any]:
    why = remark.why or remark.message
    rule: dict[str, Any] = {
        "id": remark.rule,
        "shortDescription": {"text": remark.rule.replace("-", " ")},
        "fullDescription": {"text": why},
        "help": {"text": why + (f"\n\nWay out: {remark.fix}" if remark.fix else "")},
        "properties": {"tags": ["security"], "security-severity": _SCORES.get(remark.severity, _SCORES["high"])},
    }
    return rule | ({"helpUri": remark.source} if remark.source.startswith("https://") else {})


def _result(remark: Remark, rule: int) -> dict[str, Any]:
    place = remark.place or _NOWHERE
    about = " ".join(part for part in (remark.resource, remark.path) if part)
    stacks = f" In {', '.join(remark.stacks)}." if remark.stacks else ""
    way_out = f" Way out: {remark.fix}" if remark.fix else ""
    return {
        "ruleId": remark.rule,
        "ruleIndex": rule,
        "level": _LEVELS[remark.outcome],
        "message": {"text": f"{about + ': ' if about else ''}{remark.message}{stacks}{way_out}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": place.line},
                },
                "logicalLocations": [{"fullyQualifiedName": urn, "kind": "resource"} for urn in remark.urns],
            }
        ],
        "partialFingerprints": {"remark/v1": _fingerprint(remark, place)},
        "baselineState": "unchanged" if remark.before else "new",
    }


def _fingerprint(remark: Remark, place: Place) -> str:
    parts = (remark.rule, place.file, remark.resource, remark.path, remark.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
