"""What `verify` says of each step, from answers alone: pure functions.

Owns the record of a step, and what the answers of AWS mean for one tenant. Leaves out those of the cell's functions
(`verify_openai.py`), who may read the key (`verify_access.py`), every call (`verify_looks.py`), and printing. What was
not answered is never ok.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal

from functions.health.handover_facts import HandoverSeen
from myflux_keys.consumers import Consumer
from myflux_keys.declaration import Declaration
from myflux_keys.version_labels import PREVIOUS, version_with
from ops import ways_out
from ops.actions.doctor import unseen
from ops.actions.history import Life
from ops.actions.tenant_troubles import ROTATION_WINDOW
from ops.rotation_state import SecretFacts, facts
from ops.stacks import secret_state
from tenancy import Cell, Tenant
from tenancy.declaration import declared

State = Literal["ok", "wrong", "could not be asked"]


@dataclass(frozen=True)
class Step:
    """`asked` is what was asked of whom, as an engineer would type it, and `answer` what came back, never a key. `mend`
    is what to type or do; empty where nothing is."""

    step: str
    asked: str
    state: State
    answer: str
    mend: str = ""

    def shown(self) -> dict[str, str]:
        return asdict(self)


def not_asked(step: str, asked: str, error: Exception) -> Step:
    """For a call that failed: it shows neither that all is well nor that something is wrong."""
    found = unseen(step, error)
    return Step(step, asked, "could not be asked", found.seen, found.mend)


def file(tenant: Tenant) -> Step:
    told = [
        tenant.name,
        tenant.source,
        "enabled" if tenant.enabled else "disabled",
        f"models {', '.join(tenant.models)}",
    ]
    if not tenant.has_key:
        told.append("no key: gets tokens")
    elif tenant.rotation:
        days, hours = tenant.rotation.every_days, tenant.rotation.every_hours
        every = f"{days} days" if days else f"{hours} hours"
        told.append(f"rotates every {every}, overlap {tenant.rotation.overlap_hours} hours")
    return Step("file", f"tenants/{tenant.tenant}.yaml", "ok", f"valid: {'; '.join(told)}")


def functions(cell: Cell, states: Mapping[str, str | None]) -> Step:
    """`states` by function, as Lambda names them; None: there is no such function."""
    asked = "lambda:GetFunctionConfiguration of each"
    answer = "; ".join(f"{name}: {'not there' if state is None else state}" for name, state in states.items())
    if all(state == "Active" for state in states.values()):
        return Step("functions", asked, "ok", answer)
    # `pulumi up` refuses a stack that does not exist, as before the platform's first deployment.
    never = all(state is None for state in states.values())
    up = f"myflux-keys up --cell {cell.cell}" if never else f"pulumi up --refresh --stack {cell.cell}"
    return Step("functions", asked, "wrong", answer, up)


def stack(name: str, backend: str, has: bool | None, locked: bool, marked: bool) -> Step:
    """`has` None: only the engine can read this backend. `marked`: its mark is of the state that is there."""
    asked = f"{backend or 'the backend'}: stack {name}, its lock and its mark"
    slug = name.partition(".")[0]
    if has is None:
        return Step(
            "stack",
            asked,
            "could not be asked",
            "only Pulumi's engine can read this backend",
            f"myflux-keys preview {slug}",
        )
    if not has:
        return Step("stack", asked, "wrong", "it has no state", f"myflux-keys up {slug}")
    told = "its mark is of this state" if marked else "no mark of this state, so the next `up` runs the engine"
    return Step(
        "stack", asked, "ok", f"it has a state{', which is locked: somebody deploys it now' if locked else ''}; {told}"
    )


def secret(cell: Cell, tenant: Tenant, answer: Mapping[str, Any] | None) -> Step:
    """`answer` is DescribeSecret's; None: there is no such secret."""
    place, slug = secret_state.places(cell, tenant)[0], tenant.tenant
    asked = f"secretsmanager:DescribeSecret {place.secret}"
    if answer is None:
        return Step("secret", asked, "wrong", "there is no such secret", f"myflux-keys up {slug}")
    if on := answer.get("DeletedDate"):
        told = ways_out.deletion_scheduled(slug, on, minted=tenant.minted)
        return Step("secret", asked, "wrong", told, f"myflux-keys adopt {slug}")
    differs = [one for one in secret_state.differences(place, answer, has_policy=True) if "rotation" not in one]
    if differs:
        return Step("secret", asked, "wrong", "; ".join(differs), f"myflux-keys up {slug}")
    return Step("secret", asked, "ok", f"it is there, with {len(answer.get('Tags', []))} tags as the file has them")


def no_secret(tenant: Tenant, name: str, answer: Mapping[str, Any] | None) -> Step:
    """Of a tenant that gets tokens. `answer` as above."""
    asked = f"secretsmanager:DescribeSecret {name}"
    if answer is None:
        return Step("secret", asked, "ok", "there is none, and it needs none: it gets tokens")
    if answer.get("DeletedDate"):
        return Step("secret", asked, "ok", "its deletion is scheduled, and it needs none: it gets tokens")
    mend = f"myflux-keys credential {tenant.tenant} --federated"
    return Step("secret", asked, "wrong", "it is still there, though the tenant gets tokens", mend)


def versions(tenant: Tenant, held: SecretFacts) -> Step:
    asked, slug = f"secretsmanager:DescribeSecret {held.name}: its versions", tenant.tenant
    if held.current is None:
        mend = f"myflux-keys rotate {slug} --wait" if tenant.minted else f"myflux-keys key set {slug}"
        return Step("versions", asked, "wrong", "no version is AWSCURRENT: there is no key", mend)
    told = [f"AWSCURRENT is {held.current}"]
    if before := version_with(PREVIOUS, held.stages):
        told.append(f"AWSPREVIOUS is {before}")
    if held.pending:
        told.append(f"AWSPENDING is {held.pending}")
        if held.changed and held.answered_at - held.changed > ROTATION_WINDOW:
            told.append("which a rotation that failed has left")
            return Step("versions", asked, "wrong", "; ".join(told), f"myflux-keys rotate {slug} --wait")
        told.append("a rotation is under way")
    return Step("versions", asked, "ok", "; ".join(told))


def policy(tenant: Tenant, secret_name: str, found: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> Step:
    """`found` None: the secret has no resource policy."""
    asked, mend = f"secretsmanager:GetResourcePolicy {secret_name}", f"myflux-keys up {tenant.tenant}"
    if found is None:
        return Step("resource policy", asked, "wrong", "none, so other tenants' readers are not denied", mend)
    if found == wanted:
        return Step("resource policy", asked, "ok", "it is exactly what the tenant's and the cell's files make")
    ours, theirs = ({one.get("Sid", "") for one in document["Statement"]} for document in (wanted, found))
    told = [f"lacks {one}" for one in sorted(ours - theirs)] + [f"also has {one}" for one in sorted(theirs - ours)]
    return Step("resource policy", asked, "wrong", f"it {' and '.join(told) or 'has a statement that differs'}", mend)


def rotation(cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> Step:
    held = facts(answer)
    asked, slug = f"secretsmanager:DescribeSecret {held.name}: its rotation", tenant.tenant
    if not tenant.minted:
        return Step("rotation", asked, "ok", "none: the key is the customer's own, and only they can make a new one")
    if not held.rotation_enabled:
        return Step("rotation", asked, "wrong", "it is off", f"myflux-keys up {slug}")
    by = answer.get("RotationLambdaARN", "")
    if by != cell.names.rotation_function_arn:
        told = f"it is done by {by or 'nobody'}, not by {cell.names.rotation_function_arn}"
        return Step("rotation", asked, "wrong", told, f"myflux-keys up {slug}")
    last = f"last {minute(held.last_rotated)}" if held.last_rotated else "never yet"
    due = held.next_rotation
    if due is None:
        return Step("rotation", asked, "could not be asked", f"{last}; AWS names no next one")
    if due < held.answered_at:
        return Step(
            "rotation", asked, "wrong", f"{last}; it was due on {minute(due)}", f"myflux-keys rotate {slug} --wait"
        )
    rule = answer.get("RotationRules", {}).get("ScheduleExpression", "")
    return Step("rotation", asked, "ok", f"{last}, next by {minute(due)}" + (f", {rule}" if rule else ""))


def last_rotation(tenant: Tenant, lives: Sequence[Life]) -> Step:
    """Oldest first, as `history` has them."""
    asked = "secretsmanager:ListSecretVersionIds, cloudtrail:LookupEvents (some minutes late, 90 days)"
    if not lives:
        return Step("last rotation", asked, "could not be asked", "the secret has no version yet")
    last = lives[-1]
    if last.problem:
        told = f"version {last.version} of {minute(last.minted)}: {last.problem}"
        return Step("last rotation", asked, "wrong", told, f"myflux-keys rotate {tenant.tenant} --wait")
    promoted = f", live {minute(last.promoted)}" if last.promoted else ""
    return Step(
        "last rotation", asked, "ok", f"version {last.version} made {minute(last.minted)}{promoted}, by {last.by}"
    )


def copies(cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> Step:
    asked = f"secretsmanager:DescribeSecret {answer['Name']}: its replicas"
    found = {one["Region"]: one for one in answer.get("ReplicationStatus", [])}
    wanted = [one.region for one in cell.replicas]
    mend = f"myflux-keys up {tenant.tenant}"
    if missing := [region for region in wanted if region not in found]:
        return Step("copies", asked, "wrong", f"none in {', '.join(missing)}", mend)
    behind = {region: one for region, one in found.items() if one.get("Status") != "InSync"}
    if behind:
        told = [
            f"{region} is {one.get('Status')} {one.get('StatusMessage', '')}".rstrip() for region, one in behind.items()
        ]
        return Step("copies", asked, "wrong", "; ".join(told), mend)
    return Step(
        "copies", asked, "ok", f"in step in {', '.join(wanted)}" if wanted else "the cell's file names no other Region"
    )


def declaration(tenant: Tenant, asked: str, there: Declaration | None) -> Step:
    """Whether the health function judges by this file: it finds nothing wrong with a change that was not deployed."""
    if there is None:
        return Step("declaration and file", asked, "could not be asked", "there is no declaration")
    ours = declared(tenant)
    if other := [one.name for one in fields(ours) if getattr(ours, one.name) != getattr(there, one.name)]:
        told = f"the file was changed since it was deployed, so what follows is judged without: {', '.join(other)}"
        return Step("declaration and file", asked, "wrong", told, f"myflux-keys up {tenant.tenant}")
    return Step("declaration and file", asked, "ok", "the health function judges by what the file says now")


def consumers(tenant: Tenant, seen: Mapping[str, HandoverSeen] | None) -> Step:
    """`seen`: hand-overs as the health function saw them now; None: it did not tell."""
    asked = f"tenants/{tenant.tenant}.yaml, the record of each hand-over, and use of the old keys"
    steps = [_consumer(tenant, one, None if seen is None else seen.get(one.name)) for one in tenant.consumers.used]
    found = {state for _, state, _ in steps}
    worst: State = "wrong" if "wrong" in found else "ok" if found == {"ok"} else "could not be asked"
    mend = next((mend for _, _, mend in steps if mend), "")
    return Step("consumers", asked, worst, "; ".join(told for told, _, _ in steps), mend)


def _consumer(tenant: Tenant, one: Consumer, seen: HandoverSeen | None) -> tuple[str, State, str]:
    """What is said of it, the state, and what to type."""
    if not one.pasted:
        return f"{one.name} reads its {'key' if tenant.has_key else 'token'} by itself", "ok", ""
    command = ways_out.hand_over(tenant.tenant, one.name)
    if seen is None:
        return f"{one.name}: the health function did not tell whether it has the current key", "could not be asked", ""
    told = f"{one.name}: {_HANDOVERS.get(seen.state, seen.state)}"
    told += f", since {_at(seen.since)}" if seen.since else ""
    told += f"; the old key was used last on {_at(seen.used_at)}" if seen.used_at and seen.state == "saved" else ""
    told += f"; the old key ends on {_at(seen.ends)} at the latest" if seen.ends else ""
    told += f"; connected since {_at(seen.connected_since)}" if seen.connected_since else ""
    if seen.state == "due" or (seen.state == "saved" and seen.is_used):
        return told, "wrong", command
    return told, "could not be asked" if seen.state == "saved" else "ok", ""


_HANDOVERS: Final = {
    "due": "nobody handed the current key over",
    "saved": "somebody confirmed that it has the current key, but the old one is or may be in use",
    "done": "it has the current key, and the old one is unused",
    "unknown": "a person pastes the key, and OpenAI does not show us the use of a customer's own key",
}


def _at(seconds: float) -> str:
    return minute(datetime.fromtimestamp(seconds, UTC))


def minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"
