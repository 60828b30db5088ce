"""Every key that MyFlux Keys mints is rotated, often enough, by the cell's function.

Owns SecretRotation. Leaves out alarms for failed rotations (`alarms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .schedule import longest_gap_days

_EVERY_DAYS: Final = "myflux:every-days"
_CONSUMERS: Final = "myflux:consumers"
"""Of every tenant's secret, minted or not."""
_OVERLAP_HOURS: Final = "myflux:overlap-hours"


def _ours(stack: Stack) -> Iterator[tuple[Resource, Resource | str | None]]:
    for rotation in stack:
        if rotation.type == ownership.ROTATION:
            secret = ownership.secret_behind(stack, rotation, "secretId")
            named = secret.text("name") if isinstance(secret, Resource) else secret or ""
            if secret is None or ownership.named_like_ours(named):
                yield rotation, secret


def _present(stack: Stack, _: Config) -> Iterator[Finding]:
    rotated: set[str] = set()
    for rotation, secret in _ours(stack):
        if isinstance(secret, Resource):
            rotated.add(secret.urn)
        elif secret is None:
            yield unknown(rotation, "secretId")
    for secret in ownership.secrets(stack):
        place = ownership.place_of(secret.text("name"))
        # A customer rotates their own key, and the stack creates no project for it.
        customers = place is not None and not place.admin and not _managed(stack, secret, place.tenant)
        if secret.urn not in rotated and not customers:
            yield violation(secret, "", "the secret has no rotation")


def _managed(stack: Stack, secret: Resource, tenant: str) -> bool:
    tags = secret.get("tags")
    named = set(map(str, cast(dict[Any, Any], tags))) - {_CONSUMERS} if isinstance(tags, dict) else set[str]()
    if tags is UNKNOWN or any(name.startswith("myflux:") for name in named):
        return True
    return any(one.type == ownership.INVOCATION and f'"{tenant}"' in str(one.get("input")) for one in stack)


def _often(stack: Stack, config: Config) -> Iterator[Finding]:
    for rotation, secret in _ours(stack):
        expression = rotation.get("rotationRules", "scheduleExpression")
        if expression is UNKNOWN:
            yield unknown(rotation, "rotationRules.scheduleExpression")
            continue
        days = rotation.number("rotationRules", "automaticallyAfterDays") or 0
        if not isinstance(expression, str) or not expression:
            message = (
                "every secret that counts days opens its window at midnight UTC, all at once"
                if days
                else ("no schedule is set")
            )
            yield violation(rotation, "rotationRules", message)
            continue
        if expression.lower().startswith("rate("):
            message = "a rate() schedule starts at midnight UTC, like all others"
            yield violation(rotation, "rotationRules.scheduleExpression", message)
        gap = longest_gap_days(expression)
        promised = secret.get("tags", _EVERY_DAYS) if isinstance(secret, Resource) else None
        most = config.max_rotation_days
        if isinstance(secret, Resource) and secret.get("tags") is not UNKNOWN:
            yield from _promises(secret, most)
        if isinstance(promised, str) and promised.isdigit():
            most = min(most, max(1, int(promised)))
        if gap is None:
            yield violation(
                rotation, "rotationRules.scheduleExpression", "the schedule cannot be read, or does not repeat"
            )
        elif gap > most:
            message = f"up to {gap:g} days pass between two rotations; {most} is the most"
            yield violation(rotation, "rotationRules.scheduleExpression", message)


def _promises(secret: Resource, most: int) -> Iterator[Finding]:
    """The tags must hold valid numbers: the rotation sets an old key's expiry, and the sweep finds late rotations, by
    them."""
    days, hours = (_whole(secret, tag) for tag in (_EVERY_DAYS, _OVERLAP_HOURS))
    if days is None or not 1 <= days <= most:
        yield violation(secret, f"tags.{_EVERY_DAYS}", f"the tag must be a number of days from 1 to {most}")
    elif hours is None or not 1 <= hours <= days * 24:
        yield violation(
            secret, f"tags.{_OVERLAP_HOURS}", f"the tag must be a number of hours from 1 to {days * 24}, the interval"
        )


def _whole(secret: Resource, tag: str) -> int | None:
    text = secret.text("tags", tag)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _at_once(stack: Stack, _: Config) -> Iterator[Finding]:
    for rotation, secret in _ours(stack):
        named = secret.text("name") if isinstance(secret, Resource) else secret or ""
        place = ownership.place_of(named)
        now = rotation.get("rotateImmediately")
        if now is UNKNOWN:
            yield unknown(rotation, "rotateImmediately")
        elif now is False and (place is None or not place.admin):
            yield violation(rotation, "rotateImmediately", "the first key is minted only when the schedule first runs")


def _by_our_function(stack: Stack, _: Config) -> Iterator[Finding]:
    for rotation, secret in _ours(stack):
        named = secret.text("name") if isinstance(secret, Resource) else secret or ""
        place = ownership.place_of(named)
        function = rotation.get("rotationLambdaArn")
        if function is UNKNOWN:
            found = ownership.comes_from(stack, rotation, "rotationLambdaArn", ownership.FUNCTION)
            if len(found) != 1 or found[0].get("name") is UNKNOWN:
                yield unknown(rotation, "rotationLambdaArn")
                continue
            function = found[0].text("name")
        name = str(function).rpartition(":function:")[2]
        expected = place and f"myflux-{place.cell}-{'admin-rotator' if place.admin else 'rotation'}"
        if name != expected:
            yield violation(rotation, "rotationLambdaArn", f"the secret is rotated by another function than {expected}")


def _after_the_policy(stack: Stack, _: Config) -> Iterator[Finding]:
    for rotation, secret in _ours(stack):
        policies = [
            policy
            for policy in stack
            if policy.type == ownership.RESOURCE_POLICY
            and isinstance(secret, Resource)
            and ownership.secret_behind(stack, policy, "secretArn") is secret
        ]
        after = rotation.dependencies.union(*rotation.property_dependencies.values())
        if policies and not any(policy.urn in after for policy in policies):
            yield violation(rotation, "", "the rotation does not depend on the secret's policy")


_DOCUMENTATION: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html"

ROTATION_RULES: Final = (
    Rule(
        name="secret-rotates",
        severity="critical",
        level="mandatory",
        description="Every managed tenant's secret, and the admin key's, has a rotation.",
        rationale="A leaked key works until somebody notices.",
        fix="Keep the SecretRotation in components/tenant_key.py and components/admin_rotation.py.",
        source=_DOCUMENTATION,
        check=_present,
    ),
    Rule(
        name="rotation-often-enough",
        severity="high",
        level="mandatory",
        description="A key rotates as often as its secret's tag says, and by a schedule of its own: rates "
        "and counts of days start at midnight for all.",
        rationale="A key is valid longer than its tenant accepts. If all rotate at once, OpenAI refuses most of the "
        "calls.",
        fix="Let tenancy/slots.py choose the schedule from `every_days`.",
        source=_DOCUMENTATION,
        check=_often,
        settings=("max_rotation_days",),
    ),
    Rule(
        name="first-rotation-at-once",
        severity="medium",
        level="mandatory",
        description="A tenant's first key is minted as soon as the rotation is created.",
        rationale="Until the schedule first runs there is no key, so somebody may paste one by hand.",
        fix="Leave `rotate_immediately` true.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html",
        check=_at_once,
    ),
    Rule(
        name="rotated-by-our-function",
        severity="critical",
        level="mandatory",
        description="A secret is rotated by its own cell's function.",
        rationale="A rotation function can read the secret and write any value into it.",
        fix="Set `rotation_lambda_arn` to the cell's function.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html",
        check=_by_our_function,
    ),
    Rule(
        name="rotation-waits-for-the-lock",
        severity="medium",
        level="mandatory",
        description="A rotation starts after the secret's policy is attached.",
        rationale="Until the policy is attached, any identity policy of the account may allow reading the first key.",
        fix="Use EmptySecret's `arn` for the rotation: it is known once the policy is attached.",
        source=_DOCUMENTATION,
        check=_after_the_policy,
    ),
)
