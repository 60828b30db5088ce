"""The hand-over role in the proof: who becomes it, and what its sessions read.

Owns its attempts. Leaves out the claims that use them (`claims`) and what no role may do (`attempts`). The consumers
for whom a person pastes are those of the table, and the tag is read as words, not as a policy's patterns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import z3

from components.iam.resource import reads_denied
from myflux_keys.consumers import PASTED
from myflux_keys.names import TAG_CONSUMERS
from myflux_keys.version_labels import CURRENT
from ops.isolation.attempts import READ, About, Attempt, fits, on, own_read, owner_of
from ops.isolation.deployment import Role, Shape
from ops.isolation.requests import (
    STAGE,
    STAGE_NAMED,
    SecondFactor,
    Session,
    Tags,
    a_role,
    anybody,
    assumption,
    is_somebody,
)
from ops.isolation.terms import TRUE, Formula, constant

WHO: Final = "a person by the hand-over role"


def role_of(about: About) -> Role | None:
    return about.deployment.roles.get(about.names.handover_role_arn)


def is_pasted(shape: Shape) -> bool:
    words = dict(shape.secret.tags).get(TAG_CONSUMERS, "").split()
    return any(one in PASTED for one in words)


def becoming_people(about: About) -> Iterator[Attempt]:
    """By others than the file names; without a second factor; with another tag than one tenant's."""
    role = role_of(about)
    if role is None:
        return
    people = about.cell.handover.principals if about.cell.handover else ()
    tags, factor, caller = Tags(), SecondFactor(), anybody()
    becomes, request, lock = assumption(role, None, caller, tags, factor)
    stranger = is_somebody(caller, people)
    anyone = is_somebody(caller, ())
    for fails in (
        z3.And(becomes, stranger),
        z3.And(becomes, anyone, z3.Not(factor.shown)),
        z3.And(becomes, anyone, z3.Not(fits(tags))),
    ):
        yield Attempt(fails, caller, request, lock)


def beyond_the_current(about: About, shape: Shape) -> Iterator[Attempt]:
    """Reads of another tenant's key, of another version than the current one, or of one that nobody pastes."""
    role = role_of(about)
    if role is None:
        return
    owner, _ = owner_of(about, shape.secret)
    session = Session("the session")
    current = z3.And(STAGE_NAMED, constant(CURRENT) == STAGE)
    right: Formula = z3.And(session.tagged, session.tenant == owner, current, z3.BoolVal(is_pasted(shape)))
    for action in READ:
        yield on(about, shape.secret, action, a_role(role), WHO, session, session.keys(role), bad=z3.Not(right))


def shut_out(about: About, shape: Shape) -> Iterator[Attempt]:
    """Reads of a disabled tenant's key."""
    role = role_of(about)
    if role is None:
        return
    document = json.loads(shape.secret.policy)
    document["Statement"].append(reads_denied(about.reader(shape).arn, role.arn))
    shut = replace(shape.secret, policy=json.dumps(document))
    session = Session("the session")
    for action in READ:
        yield on(about, shut, action, a_role(role), WHO, session, session.keys(role), bad=TRUE)


def refused_reads(about: About, shape: Shape) -> Iterator[Attempt]:
    """Refused reads of the current key that a person must paste: there must be none, whatever the slug."""
    role = role_of(about)
    if role is None or not is_pasted(shape):
        return
    current = z3.And(STAGE_NAMED, constant(CURRENT) == STAGE)
    yield from own_read(about, shape, a_role(role), Session("the session"), role, f"{WHO}, who is refused", current)
