"""What is to be done with a key that was handed in, by facts alone.

Owns the order of the rules. Leaves out every call. Decided twice: before the key is tried, and with what trying showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from functions.rotation.proof import Proof
from functions.shared.customer_key import Tried, kind_of
from functions.shared.intake import Confirmed, HandedIn, Issued, Outcome, Place, Reason
from functions.shared.link import Link
from myflux_keys.payload import iso

UNCHECKED_SECONDS: Final = 3 * 24 * 3600
UNCONFIRMED_SECONDS: Final = 14 * 24 * 3600
"""After hand-in. A key that nobody uses must not lie about, encrypted or not."""


class Act(Enum):
    """What to do next."""

    TRY = "try"
    """Try the key at OpenAI."""
    PROMOTE = "promote"
    """Write it to the tenant's secret."""
    FINISH = "finish"
    """It is written: say so, and end the intake's copy."""
    WAIT = "wait"
    """Say that a person must confirm the organization; keep the copy."""
    REFUSE = "refuse"
    """Say why, and end the intake's copy."""
    DROP = "drop"
    """End the intake's copy and say nothing: it is no hand-in, or was finished."""
    LATER = "later"
    """Nothing: a later run decides."""


@dataclass(frozen=True)
class Verdict:
    """`reason` is of REFUSE alone."""

    act: Act
    reason: Reason | None = None


@dataclass(frozen=True)
class SecretFacts:
    """A tenant's secret. `minted`: only the rotation function writes it. `stored`: it has a version of the link's
    id."""

    exists: bool
    minted: bool
    stored: bool


NO_SECRET: Final = SecretFacts(exists=False, minted=False, stored=False)


@dataclass(frozen=True)
class Facts:
    """`link` is None unless its MAC was verified; `handed_in` None unless KMS could decrypt it. Times in Unix seconds:
    `handed_in_at` by S3's clock, `now` by the function's."""

    cell: str
    place: Place
    handed_in: HandedIn | None
    link: Link | None
    handed_in_at: float
    now: float
    issued: Issued | None
    revoked: bool
    secret: SecretFacts
    outcome: Outcome | None
    confirmed: Confirmed | None


def before_trying(facts: Facts) -> Verdict:
    if facts.outcome is not None and facts.outcome.state == "promoted":
        return Verdict(Act.DROP)
    if facts.handed_in is None or facts.link is None:
        return Verdict(Act.DROP)
    if facts.link.cell != facts.cell or Place.of(facts.link) != facts.place:
        return Verdict(Act.DROP)
    if facts.secret.stored:
        return Verdict(Act.FINISH)
    if (refusal := _refusal(facts, facts.link, facts.handed_in)) is not None:
        return Verdict(Act.REFUSE, refusal)
    waiting = facts.outcome is not None and facts.outcome.state == "waiting"
    if waiting and facts.outcome and not is_confirmed(facts.outcome.organization, facts):
        return Verdict(Act.LATER)
    return Verdict(Act.TRY)


def after_trying(facts: Facts, tried: Tried) -> Verdict:
    """`facts` are read again after the key was tried, since that takes seconds."""
    if facts.secret.stored:
        return Verdict(Act.FINISH)
    if facts.revoked or facts.issued is None:
        return Verdict(Act.REFUSE, "revoked")
    if (reason := _unwritable(facts.secret)) is not None:
        return Verdict(Act.REFUSE, reason)
    if tried.proof is Proof.UNCLEAR:
        return Verdict(Act.LATER)
    if tried.proof is not Proof.ACCEPTED:
        return Verdict(Act.REFUSE, _REASONS[tried.proof])
    return Verdict(Act.PROMOTE if is_confirmed(tried.organization or "", facts) else Act.WAIT)


def told_at(before: Outcome | None, now: float) -> str:
    """When an outcome is told, to the second. Later than the one `before` it of the same link: by its time alone the
    page tells whether a refusal came after a key that was handed in since the last one."""
    second = int(now)
    if before is not None:
        second = max(second, int(datetime.fromisoformat(before.at).timestamp()) + 1)
    return iso(second)


def is_confirmed(organization: str, facts: Facts) -> bool:
    """Whether a person said that `organization` is this customer's. Where OpenAI's answers name none, what a person
    confirmed for this one link counts, and for no other."""
    if facts.confirmed is None or facts.confirmed.organization != organization:
        return False
    return organization != "" or facts.confirmed.link == facts.place.id


def _refusal(facts: Facts, link: Link, handed_in: HandedIn) -> Reason | None:
    if link.expired(facts.handed_in_at):
        return "expired"
    # Without its object nobody can see what the link was issued for, so it counts as taken back.
    if facts.revoked or facts.issued is None:
        return "revoked"
    if (reason := _unwritable(facts.secret)) is not None:
        return reason
    if kind_of(handed_in.key) is None:
        return "not_a_key"
    waiting = facts.outcome is not None and facts.outcome.state == "waiting"
    if facts.now - facts.handed_in_at > (UNCONFIRMED_SECONDS if waiting else UNCHECKED_SECONDS):
        return "not_confirmed" if waiting else "unchecked"
    return None


def _unwritable(secret: SecretFacts) -> Reason | None:
    if not secret.exists:
        return "no_secret"
    return "managed" if secret.minted else None


_REASONS: Final[dict[Proof, Reason]] = {
    Proof.REFUSED: "refused",
    Proof.RESTRICTED: "restricted",
    Proof.UNPAID: "unpaid",
    Proof.MODEL_UNREACHABLE: "model_unreachable",
}
