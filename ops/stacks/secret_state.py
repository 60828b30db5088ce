"""The state in AWS of a stack's secrets, checked before the stack is deployed.

Owns what the engine does not see, because it compares the files with its state: a deleted secret, a rotation that is
off, changed tags, a removed policy. Leaves out the repair: where something differs, the engine refreshes first
(`ops/stacks/work.py`). It makes two calls for each secret.
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

_ROTATION_TAGS: Final = (
    names.TAG_PERMISSION,
    names.TAG_MODELS,
    names.TAG_EVERY_DAYS,
    names.TAG_OVERLAP_HOURS,
    names.TAG_PROJECT_ID,
    names.TAG_SERVICE_ACCOUNT_ID,
)
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
    required_tags: Sequence[str]
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
        _ROTATION_TAGS if tenant.minted else (),
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


def differences(place: Place, answer: Mapping[str, Any], *, has_policy: bool) -> list[str]:
    """How DescribeSecret's `answer` differs from what the files want. Pure. `has_policy`: it has a resource policy."""
    found = facts(answer)
    other = [tag for tag, value in place.tags.items() if found.tags.get(tag) != value]
    missing = [tag for tag in place.required_tags if not found.tags.get(tag)]
    return [
        *(f"its tag {tag} is {found.tags.get(tag, 'missing')}" for tag in other),
        *(f"its tag {tag} is missing" for tag in missing),
        *(["its rotation is off"] if place.rotates and not found.rotation_enabled else []),
        *([] if has_policy else ["its resource policy is missing"]),
    ]


def look(client: SecretsManagerClient, place: Place, knows: Callable[[str], bool]) -> list[str]:
    """The differences from the files, in words; empty where there are none.

    `knows` returns whether the stack's state has the secret of an ARN; it is called only where that decides. Raises
    OperationError for a secret whose deletion is scheduled: its name cannot be used until it is deleted.
    """
    try:
        answer: Mapping[str, Any] = dict(client.describe_secret(SecretId=place.secret))
    except ClientError as error:
        if code_of(error) == "AccessDeniedException":
            return [UNSEEN]
        if code_of(error) != "ResourceNotFoundException":
            raise
        return [GONE]
    if deletion := answer.get("DeletedDate"):
        if place.adopted:
            raise OperationError(f"{ways_out.deletion_scheduled(place.adopted, deletion)} Nothing was changed.")
        way_out = ways_out.restored(place.secret, place.up) if knows(answer["ARN"]) else place.anew
        raise OperationError(
            f"the deletion of {place.secret} is scheduled for {deletion:%Y-%m-%d}, and AWS makes no secret of that "
            f"name before. Nothing was changed. Way out: {way_out}"
        )
    has_policy = bool(client.get_resource_policy(SecretId=place.secret).get("ResourcePolicy"))
    return differences(place, answer, has_policy=has_policy)
