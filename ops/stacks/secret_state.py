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
"""Tags that give the rotation function a tenant's settings. Their values follow the file."""
GONE: Final = "it does not exist"
"""Reported of a secret, also before its stack's first `up`."""
UNSEEN: Final = "it does not exist, or these credentials may not read its description"
"""The policy of a pipeline's role names secrets with AWS's random suffix, so AWS denies it one that is not made yet."""


@dataclass(frozen=True)
class Place:
    """A secret of a stack, as the files describe it. `up` is the command that deploys its stack; `adopted` is the
    tenant into whose stack `adopt` can import it, else empty; `anew` is the way out where the stack's state does not
    have the secret and `adopt` cannot import it."""

    secret: str
    tags: Mapping[str, str]
    required_tags: Sequence[str]
    rotates: bool
    up: str
    anew: str
    adopted: str = ""


def places(cell: Cell, tenant: Tenant | None) -> list[Place]:
    """The secrets of the tenant's stack, or of the cell's platform where `tenant` is None. None of a tenant without a
    key, whose secret of before may be in its deletion window."""
    if tenant is None:
        up, stored = f"myflux-keys up --cell {cell.cell}", names.store_admin_key(cell.names.admin_secret)
        lives = (names.TAG_EVERY_DAYS, names.TAG_OVERLAP_HOURS)
        secret = cell.names.admin_secret
        anew = ways_out.made_anew(secret, up, stored)
        return [Place(secret, cell.names.tags, lives, rotates=True, up=up, anew=anew)]
    if not tenant.has_key:
        return []
    slug, own = tenant.tenant, cell.names.tenant(tenant.tenant)
    up = f"myflux-keys up {slug}"
    shared = tenant.isolation != "dedicated"
    key = Place(
        own.secret,
        own.tags,
        _ROTATION_TAGS if tenant.minted else (),
        rotates=tenant.minted,
        up=up,
        # The stack was destroyed, which also archived the project.
        anew=ways_out.another_slug(slug),
        adopted=slug if shared else "",
    )
    if tenant.organization_id is None:
        return [key]
    stored = names.store_admin_key(own.admin_secret)
    anew = ways_out.made_anew(own.admin_secret, up, stored)
    # The key first: where its slug cannot be used again, nobody should delete the customer's admin key for it.
    return [key, Place(own.admin_secret, own.tags, (), rotates=False, up=up, anew=anew)]


def differences(place: Place, answer: Mapping[str, Any], *, has_policy: bool) -> list[str]:
    """How DescribeSecret's `answer` differs from the files. Pure. `has_policy`: it has a resource policy."""
    found = facts(answer)
    other = [tag for tag, value in place.tags.items() if found.tags.get(tag) != value]
    missing = [tag for tag in place.required_tags if not found.tags.get(tag)]
    return [
        *(f"its tag {tag} is {found.tags.get(tag, 'missing')}" for tag in other),
        *(f"its tag {tag} is missing" for tag in missing),
        *(["its rotation is off"] if place.rotates and not found.rotation_enabled else []),
        *([] if has_policy else ["its resource policy is missing"]),
    ]


def differences_in_aws(client: SecretsManagerClient, place: Place, in_state: Callable[[str], bool]) -> list[str]:
    """The differences from the files, as phrases; empty where there are none.

    `in_state` returns whether the stack's state has the secret of an ARN; it is called only where that decides. Raises
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
            told = ways_out.deletion_scheduled(place.adopted, deletion, minted=place.rotates)
            raise OperationError(f"{told} Nothing was changed.")
        way_out = ways_out.restored(place.secret, place.up) if in_state(answer["ARN"]) else place.anew
        raise OperationError(f"{ways_out.name_blocked(place.secret, way_out, deletion)} Nothing was changed.")
    has_policy = bool(client.get_resource_policy(SecretId=place.secret).get("ResourcePolicy"))
    return differences(place, answer, has_policy=has_policy)
