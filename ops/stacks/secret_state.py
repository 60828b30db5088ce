"""How the secrets that a stack is about stand in AWS, looked at before the stack is brought up.

Owns what the engine does not see, since it compares the files with its state: a secret that is gone or on its way out,
a rotation that was switched off, changed tags, a policy that was taken away. Leaves out mending: where something
differs, the engine reads back first (`ops/stacks/work.py`). Two calls a secret, beside seconds of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from myflux_keys import names
from ops import ways_out
from ops.errors import OperationError, code_of
from ops.rotation_state import facts
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_TOLD: Final = (
    names.TAG_PERMISSION, names.TAG_MODELS, names.TAG_EVERY_DAYS, names.TAG_OVERLAP_HOURS, names.TAG_PROJECT_ID,
    names.TAG_SERVICE_ACCOUNT_ID,
)  # fmt: skip
"""What the rotation function is told about a tenant by its secret's tags. Their values follow the file."""
GONE: Final = "it is not there"
"""Said of a secret, also before its stack's first `up`."""
UNSEEN: Final = "it is not there, or these credentials may not look at it"
"""A pipeline's role names secrets with the end that AWS gives them, so AWS denies it a look at one not made yet."""


@dataclass(frozen=True)
class Place:
    """A secret of a stack, as the files want it. `up` is the command that brings its stack up, `adopted` the tenant
    whom `adopt` would give it to, `anew` the way out where its stack does not know it and `adopt` does not take it."""

    secret: str
    tags: Mapping[str, str]
    told: Sequence[str]
    rotates: bool
    up: str
    anew: str
    adopted: str = ""


def places(cell: Cell, tenant: Tenant | None) -> list[Place]:
    """Those of the tenant's stack, or of the cell's where `tenant` is None."""
    if tenant is None:
        up, stored = f"myflux-keys up --cell {cell.cell}", f"myflux-keys admin-key set --cell {cell.cell}"
        lives = (names.TAG_EVERY_DAYS, names.TAG_OVERLAP_HOURS)
        secret = cell.names.admin_secret
        anew = ways_out.made_anew(secret, up, stored)
        return [Place(secret, cell.names.tags, lives, rotates=True, up=up, anew=anew)]
    slug, theirs = tenant.tenant, cell.names.tenant(tenant.tenant)
    up = f"myflux-keys up {slug}"
    shared = tenant.isolation != "dedicated"
    key = Place(
        theirs.secret,
        theirs.tags,
        _TOLD if tenant.minted else (),
        rotates=tenant.minted,
        up=up,
        # Its stack was destroyed, and the project archived with it.
        anew=ways_out.another_slug(slug),
        adopted=slug if shared else "",
    )
    if tenant.organization_id is None:
        return [key]
    stored = f"myflux-keys admin-key set --tenant {slug}"
    anew = ways_out.made_anew(theirs.admin_secret, up, stored)
    return [Place(theirs.admin_secret, theirs.tags, (), rotates=False, up=up, anew=anew), key]


def differences(place: Place, told: Mapping[str, Any], *, locked: bool) -> list[str]:
    """Where DescribeSecret's answer is not what the files want. Pure. `locked`: it has a resource policy."""
    found = facts(told)
    other = [tag for tag, value in place.tags.items() if found.tags.get(tag) != value]
    missing = [tag for tag in place.told if not found.tags.get(tag)]
    return [
        *(f"its tag {tag} is {found.tags.get(tag, 'gone')}" for tag in other),
        *(f"its tag {tag} is gone" for tag in missing),
        *(["its rotation is off"] if place.rotates and not found.rotation_enabled else []),
        *([] if locked else ["its resource policy is gone"]),
    ]


def look(client: SecretsManagerClient, place: Place, knows: Callable[[str], bool]) -> list[str]:
    """What differs from the files, in words; empty where nothing does.

    `knows` tells whether the stack's state has the secret of an ARN, and is asked only where that decides. Raises
    OperationError for a secret whose deletion is scheduled: nothing may be made under its name until it is gone.
    """
    try:
        told: Mapping[str, Any] = dict(client.describe_secret(SecretId=place.secret))
    except ClientError as error:
        if code_of(error) == "AccessDeniedException":
            return [UNSEEN]
        if code_of(error) != "ResourceNotFoundException":
            raise
        return [GONE]
    if deletion := told.get("DeletedDate"):
        if place.adopted:
            raise OperationError(f"{ways_out.deletion_scheduled(place.adopted, deletion)} Nothing was changed.")
        way_out = ways_out.restored(place.secret, place.up) if knows(told["ARN"]) else place.anew
        raise OperationError(
            f"the deletion of {place.secret} is scheduled for {deletion:%Y-%m-%d}, and AWS makes none of that name "
            f"before. Nothing was changed. Way out: {way_out}"
        )
    locked = bool(client.get_resource_policy(SecretId=place.secret).get("ResourcePolicy"))
    return differences(place, told, locked=locked)
