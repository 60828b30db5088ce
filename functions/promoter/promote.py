"""The way of one key from the intake to the tenant's secret.

Owns the order of the calls: version, outcome, end of the copy. A run may die between any two of them, and the next one
goes on, since the version's id is the link's and its value comes from the link, the ciphertext and their objects alone.
"""

from __future__ import annotations

import logging

from functions.promoter.decide import NO_SECRET, Act, Facts, Verdict, after_trying, before_trying, told_at
from functions.promoter.intake import Overlap
from functions.promoter.services import Services
from functions.shared import log
from functions.shared.customer_key import kind_of, payload, try_key
from functions.shared.intake import HandedIn, Outcome, Place, State
from functions.shared.objects import Found
from myflux_keys.payload import iso


def promote(services: Services, place: Place) -> Act:
    """What was done. Raises Overlap, if another run was faster, and botocore's errors."""
    sealed = services.intake.sealed(place)
    if sealed is None:
        return Act.DROP
    facts, version = _look(services, place, sealed)
    verdict = before_trying(facts)
    known = facts.outcome or facts.confirmed
    organization = known.organization if known else ""
    if verdict.act is Act.TRY and facts.handed_in and facts.issued:
        tried = try_key(services.http, services.deadline, facts.handed_in.key, facts.issued.models)
        organization = tried.organization or ""
        _still_there(services, place, sealed)
        facts, version = _look(services, place, sealed)
        verdict = after_trying(facts, tried)
    _carry_out(services, facts, sealed, version, verdict, organization)
    level = logging.WARNING if verdict.act in (Act.DROP, Act.REFUSE) else logging.INFO
    log.line(
        f"connect.{verdict.act.value}",
        level=level,
        tenant=place.tenant,
        link=place.id,
        reason=verdict.reason,
        organization=organization or None,
    )
    return verdict.act


def _still_there(services: Services, place: Place, sealed: Found) -> None:
    """Raises Overlap, if another run ended the copy while the key was tried. The place may hold another key by then."""
    now = services.intake.sealed(place)
    if now is None or now.version != sealed.version:
        raise Overlap(f"what was tried does not lie at {place.handed_in} any more")


def _look(services: Services, place: Place, sealed: Found) -> tuple[Facts, str | None]:
    """The facts, and the version of the outcome among them."""
    intake = services.intake
    handed_in = intake.opened(place, sealed)
    link = intake.genuine(handed_in.token if handed_in else "")
    outcome, version = intake.outcome(place)
    facts = Facts(
        cell=services.settings.common.cell,
        place=place,
        handed_in=handed_in,
        link=link,
        handed_in_at=sealed.at,
        now=services.wall(),
        issued=intake.issued(place),
        revoked=intake.revoked(place),
        # A forged link makes nobody look for the secret of a tenant that it invents.
        secret=services.secret(place.tenant).facts(place.id) if link else NO_SECRET,
        outcome=outcome,
        confirmed=intake.confirmed(place),
    )
    return facts, version


def _carry_out(
    services: Services, facts: Facts, sealed: Found, version: str | None, verdict: Verdict, organization: str
) -> None:
    intake, place, handed_in = services.intake, facts.place, facts.handed_in

    def tell(state: State, reason: str = "") -> None:
        last_four = handed_in.key.reveal()[-4:] if handed_in and state != "refused" else ""
        outcome = Outcome(state, told_at(facts.outcome, services.wall()), reason, organization, last_four)
        intake.tell(place, outcome, version)

    match verdict.act:
        case Act.PROMOTE | Act.FINISH:
            if verdict.act is Act.PROMOTE and handed_in:
                _write(services, facts, sealed, handed_in)
            services.secret(place.tenant).unlabel(place.id)
            tell("promoted")
            intake.end(place, sealed)
        case Act.REFUSE:
            tell("refused", verdict.reason or "")
            intake.end(place, sealed)
        case Act.WAIT:
            tell("waiting")
        case Act.DROP:
            intake.end(place, sealed)
        case Act.TRY | Act.LATER:
            pass


def _write(services: Services, facts: Facts, sealed: Found, handed_in: HandedIn) -> None:
    kind = kind_of(handed_in.key)
    if kind is None or facts.issued is None:
        raise ValueError("only a key with a link that was issued is promoted")
    value = payload(
        facts.place.tenant,
        handed_in.key,
        base_url=services.settings.common.base_url,
        models=facts.issued.models,
        stored_at=iso(int(sealed.at)),
    )
    services.secret(facts.place.tenant).put(facts.place.id, value, kind)
