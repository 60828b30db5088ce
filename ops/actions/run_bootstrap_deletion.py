"""Deletes what `bootstrap` made, once nothing lives behind it.

The stack's own state goes back into a folder first, since its bucket is among what ends. Each step looks where the one
before ended, so that the same command continues after any interruption. Leaves out the decisions
(`bootstrap_deletion`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

import tenancy
from components.iam.deployer_trust import provider_arn
from ops import journal, selection, state_place
from ops.account import Account
from ops.actions import bootstrap
from ops.actions import bootstrap_deletion as decisions
from ops.actions.bootstrap_deletion import Behind
from ops.actions.run_bootstrap import Passphrase, Places, exists, in_words, looked_at
from ops.errors import OperationError, code_of
from ops.stacks import backend, moving
from ops.stacks.engine import Engine
from tenancy import Cell

_OPERATION = "bootstrap-delete"


@dataclass(frozen=True)
class Ended:
    """`plan` is what a dry run would do. `kept` are OIDC providers that the account still has."""

    cell: Cell
    plan: list[str]
    done: bool
    kept: tuple[str, ...] = ()
    nothing: bool = False


def run(
    root: Path,
    slug: str,
    confirmed: Callable[[], bool],
    passphrase: Passphrase,
    *,
    dry: bool,
    report: Callable[[str], None],
) -> Ended:
    """Raises OperationError and TenancyError."""
    fleet = tenancy.load(root)
    (cell,) = selection.cells(fleet, slug)
    bootstrap.refuse_a_place_of_its_own(cell)
    # `bootstrap` has the same lock.
    with Account(cell, _OPERATION) as account, journal.exclusive_run(cell, "bootstrap"), in_words(cell, deletion=True):
        account.check()
        places = Places(cell, root.resolve(), account)
        plan = decisions.plan(cell)
        tenants = [tenant.tenant for tenant in fleet.tenants_of(slug)]
        decisions.refuse_while_used(cell, _behind(places, tenants))
        if places.kept == "nowhere":
            _look(places)
            shutil.rmtree(places.folder, ignore_errors=True)
            return Ended(cell, plan, done=False, nothing=True)
        if dry:
            return Ended(cell, plan, done=False)
        if not confirmed():
            raise OperationError("that is not the cell's name. Nothing was changed.")
        # The question may have waited for hours.
        decisions.refuse_while_used(cell, _behind(places, tenants))
        with places.at_work():
            return Ended(cell, plan, done=True, kept=tuple(_end(places, passphrase, report)))


def _end(places: Places, passphrase: Passphrase, report: Callable[[str], None]) -> Iterator[str]:
    """Yields the ARNs of OIDC providers that were kept."""
    slug, found = places.cell.cell, places.kept
    places.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    local, moved = places.in_folder(passphrase(found == "bucket")), places.folder / "moved"
    if found != "folder" and not moved.exists():
        report(f"The state of the bootstrap moves to {places.folder}.")
        moving.move(places.in_bucket(places.kms_key()), local, slug)
        # From here on the bucket's copy may be half deleted, or an older version of itself.
        moved.touch()
    # Before the bucket's copy ends: it also shows that this one can be read with the passphrase.
    held, mended = looked_at(local, slug)
    if mended.deployment is not None:
        local.replace_state(slug, mended.deployment)
    _empty(places)
    report(f"No version of any object is left in {places.cell.names.state_bucket}.")
    kept = set(_let_go(places, local, report))
    local.destroy(slug, remove=True, refresh=mended.deployment is not None)
    _look(places)
    _look_at_keys(places, decisions.keys(held or {}))
    shutil.rmtree(places.folder)
    yield from sorted(kept | _provider(places))


def _provider(places: Places) -> set[str]:
    """Of the cell's pipeline, if the account has it still: an earlier, interrupted run may have let it go."""
    cell = places.cell
    arn = provider_arn(cell.names, cell.pipeline.issuer) if cell.pipeline else ""
    look = places.account.roles.get_open_id_connect_provider
    return {arn} if arn and exists(lambda: look(OpenIDConnectProviderArn=arn)) else set()


def _let_go(places: Places, local: Engine, report: Callable[[str], None]) -> list[str]:
    """Takes protection, and OIDC providers that others use, out of the state."""
    slug = places.cell.cell
    held = local.peek(slug)
    if held is None or not held.get("resources"):
        return []
    pages = places.account.roles.get_paginator("list_roles").paginate()
    roles = [
        (one["RoleName"], json.dumps(one.get("AssumeRolePolicyDocument"))) for page in pages for one in page["Roles"]
    ]
    used = decisions.used_providers(held["resources"], roles)
    for urn, by in used.items():
        report(f"{urn.rpartition('::')[2]} stays: the roles {', '.join(by)} trust it.")
    local.replace_state(slug, decisions.unprotected(decisions.without(held, used)))
    return [str(one["id"]) for one in held["resources"] if one["urn"] in used]


def _empty(places: Places) -> None:
    """Every version, and every mark of a deletion. Reads again until there is none: a page may come late."""
    s3, bucket = places.account.buckets, places.cell.names.state_bucket
    while True:
        try:
            page = s3.list_object_versions(Bucket=bucket)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return
            raise
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not found:
            return
        objects: list[Any] = [{"Key": one.get("Key"), "VersionId": one.get("VersionId")} for one in found]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            raise OperationError(
                f"{bucket}: {errors[0].get('Key')} could not be deleted: {errors[0].get('Code')}. Run the same command "
                "again, once that is mended: it continues."
            )


def _behind(places: Places, tenants: list[str]) -> Behind:
    """Also of a bucket that an interrupted deletion has emptied: somebody may have deployed since."""
    names = places.cell.names
    url = state_place.in_bucket(names.state_bucket, places.cell.region).url
    stacks, others = set[str](), set[str]()
    try:
        stacks, others = backend.stacks(url) or set(), backend.of_others(url)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise
    roles = _bounded(places) - {names.people_role}
    return Behind(tenants, sorted(stacks), sorted(others), list(_secrets(places)), sorted(roles))


def _secrets(places: Places) -> Iterator[str]:
    """Secrets that are scheduled for deletion are not listed."""
    cell = places.cell.cell
    folders = (f"myflux/{cell}/", f"myflux-admin/{cell}/")
    pages = places.account.secrets.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": list(folders)}]
    )
    for page in pages:
        yield from (name for one in page["SecretList"] if (name := one.get("Name", "")).startswith(folders))


def _bounded(places: Places) -> set[str]:
    """Names of roles that have one of the cell's boundaries."""
    names, iam = places.cell.names, places.account.roles
    found: set[str] = set()
    for policy in (names.boundary_policy, names.people_role):
        try:
            pages = iam.get_paginator("list_entities_for_policy").paginate(
                PolicyArn=names.policy_arn(policy), PolicyUsageFilter="PermissionsBoundary"
            )
            found |= {role.get("RoleName", "") for page in pages for role in page.get("PolicyRoles", [])}
        except ClientError as error:
            if code_of(error) != "NoSuchEntity":
                raise
    return found


def _look_at_keys(places: Places, ids: Sequence[str]) -> None:
    """Raises OperationError where a key's deletion is not scheduled."""
    states = {one: places.account.keys.describe_key(KeyId=one)["KeyMetadata"].get("KeyState", "") for one in ids}
    if left := [f"{one} ({state})" for one, state in states.items() if state != "PendingDeletion"]:
        raise OperationError(
            f"all else of the bootstrap is deleted, but not scheduled is the deletion of key {', '.join(left)}: `aws "
            "kms schedule-key-deletion` does it."
        )


def _look(places: Places) -> None:
    """Raises OperationError where something that `bootstrap` makes is still there."""
    names, iam, s3 = places.cell.names, places.account.roles, places.account.buckets
    boundary, limit = names.policy_arn(names.boundary_policy), names.policy_arn(names.people_role)
    looks: dict[str, Callable[[], object]] = {
        boundary: lambda: iam.get_policy(PolicyArn=boundary),
        limit: lambda: iam.get_policy(PolicyArn=limit),
        names.role_arn(names.people_role): lambda: iam.get_role(RoleName=names.people_role),
        f"bucket {names.state_bucket}": lambda: s3.head_bucket(Bucket=names.state_bucket),
    }
    left = [name for name, look in looks.items() if exists(look)]
    pages = places.account.keys.get_paginator("list_aliases").paginate()
    aliases = {one.get("AliasName") for page in pages for one in page["Aliases"]}
    left += {names.state_kms_alias} & aliases
    if left:
        raise OperationError(
            f"still there, though no state of a bootstrap names it: {', '.join(left)}. If the cell was never "
            "bootstrapped, another stack owns it; else delete it by hand."
        )
