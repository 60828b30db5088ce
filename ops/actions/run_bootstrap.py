"""Makes what a cell needs before its platform, by a Pulumi stack of its own.

The stack's state begins in a folder of this machine, since its bucket is among what it makes, and moves there at the
end. Each step looks where the one before ended, so that the same command continues after any interruption. Leaves out
the decisions (`bootstrap`) and the deletion (`run_bootstrap_deletion`).
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from botocore.exceptions import ClientError

import tenancy
from components.iam.bootstrap_permissions import bootstrap_deletion, bootstrap_permissions
from components.iam.deployer_trust import provider_arn
from ops import journal, selection, state_place
from ops.account import Account
from ops.actions import bootstrap
from ops.actions.bootstrap import Kept, Made
from ops.errors import OperationError, code_of
from ops.stacks import backend, lock_holder, moving, pending
from ops.stacks.engine import ROOT, Engine, OperationFailed, Outcome
from tenancy import Cell
from tenancy.pipeline import OWN_ISSUERS

_OPERATION: Final = "bootstrap"
_PASSPHRASE: Final = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105
Passphrase = Callable[[bool], str]
"""Asks for the passphrase of the state in the folder; True for a new one."""


def policy(root: Path, slug: str, *, deletion: bool) -> dict[str, Any]:
    """The IAM policy with which a person can bootstrap the cell, or delete it. Calls nobody."""
    (cell,) = selection.cells(tenancy.load(root, only=""), slug)
    issuer = cell.pipeline.issuer if cell.pipeline else None
    if deletion:
        return bootstrap_deletion(cell.names, issuer)
    return bootstrap_permissions(cell.names, backend.BOOTSTRAP, issuer)


@dataclass
class Places:
    """The two backends of the stack, and what is where."""

    cell: Cell
    fleet: Path
    account: Account

    @property
    def folder(self) -> Path:
        return journal.folder(self.cell) / "bootstrap"

    @property
    def kept(self) -> Kept:
        folder = backend.has(state_place.in_folder(self.folder).url, self.cell.cell, backend.BOOTSTRAP)
        return bootstrap.kept(bool(folder), self._in_bucket())

    def _in_bucket(self) -> bool:
        url = state_place.in_bucket(self.cell.names.state_bucket, self.cell.region).url
        try:
            return bool(backend.has(url, self.cell.cell, backend.BOOTSTRAP))
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return False
            if code_of(error) in ("AccessDenied", "403", "AllAccessDisabled"):
                raise OperationError(
                    f"bucket {self.cell.names.state_bucket} cannot be listed: you may lack the right, or it is another "
                    f"account's. `myflux-keys bootstrap {self.cell.cell} --policy` prints the rights that you need. "
                    "Nothing was changed."
                ) from None
            raise

    @contextmanager
    def at_work(self) -> Generator[None]:
        """First removes the locks of an engine that was killed with an earlier run, on this machine: the engine would
        refuse to work until a person does."""
        note, slug = journal.folder(self.cell), self.cell.cell
        lost = lock_holder.begin(note, slug)
        bucket = state_place.in_bucket(self.cell.names.state_bucket, self.cell.region).url
        urls = [state_place.in_folder(self.folder).url, *([bucket] if self.kept in ("bucket", "both") else [])]
        for url in urls if lost else ():
            for lock in backend.locks(url, slug, backend.BOOTSTRAP):
                if lock_holder.has_ended(lock, lost):
                    backend.unlock(url, lock)
        done = False
        try:
            yield
            done = True
        finally:
            # The next run needs the note until one has succeeded.
            if lost is None or done:
                lock_holder.end(note, slug)

    def in_folder(self, passphrase: str, folder: Path | None = None) -> Engine:
        """The passphrase reaches the engine's process alone, and ends with it."""
        at = state_place.in_folder(folder or self.folder)
        return self._engine(at, {_PASSPHRASE: passphrase})

    def in_bucket(self, kms_key: str) -> Engine:
        return self._engine(state_place.in_bucket(self.cell.names.state_bucket, self.cell.region, kms_key), {})

    def _engine(self, at: state_place.StatePlace, more: Mapping[str, str]) -> Engine:
        return Engine(journal.logs() / _OPERATION, self.fleet, ROOT / "bootstrap", more, at)

    def kms_key(self) -> str:
        """The ARN behind the alias. Raises OperationError where there is none."""
        alias = self.cell.names.state_kms_alias
        try:
            return self.account.keys.describe_key(KeyId=alias)["KeyMetadata"].get("Arn", "")
        except ClientError as error:
            if code_of(error) == "NotFoundException":
                raise OperationError(
                    f"{alias} names no key, though the state is in the bucket: without the key nothing can be read "
                    "there. `aws kms cancel-key-deletion` brings back a key whose deletion is scheduled."
                ) from None
            raise


def run(
    root: Path, slug: str, passphrase: Passphrase, *, dry: bool, report: Callable[[str], None]
) -> tuple[Cell, Made | Outcome]:
    """The cell with what was made; with `dry`, with the preview. Raises OperationError, OperationFailed and
    TenancyError."""
    fleet = tenancy.load(root, only="")
    (cell,) = selection.cells(fleet, slug)
    bootstrap.refuse_a_place_of_its_own(cell)
    bootstrap.refuse_a_name_that_begins_another(cell, fleet.cells.values())
    with Account(cell, _OPERATION) as account, journal.exclusive_run(cell, _OPERATION):
        account.check()
        places = Places(cell, root.resolve(), account)
        with in_words(cell):
            if dry:
                return cell, _preview(places, passphrase)
            with places.at_work():
                return cell, _make(places, passphrase, report)


@contextmanager
def in_words(cell: Cell, *, deletion: bool = False) -> Generator[None]:
    """What the engine or AWS refuses, with the way out. Raises OperationError."""
    command = f"myflux-keys bootstrap {cell.cell}{' --delete' if deletion else ''}"
    rights = f"`{command} --policy` prints the rights that you need."
    boundary = "A boundary changes, which these rights do not allow on purpose: an administrator must run it."
    again = f"Then run `{command}` again: it continues where it ended."
    try:
        yield
    except OperationFailed as failure:
        cancel = (
            "That output names the lock. If nobody works on the stack, set PULUMI_BACKEND_URL to what stands there "
            f"before /.pulumi, and `pulumi cancel --yes --stack {cell.cell}` in the folder bootstrap/ removes it."
        )
        locked = cancel if "currently locked by" in failure.output else ""
        refused = boundary if "CreatePolicyVersion" in str(failure) else rights
        told = [str(failure), refused if "AccessDenied" in str(failure) else "", locked, again]
        raise OperationError(" ".join(filter(None, told))) from None
    except ClientError as error:
        if "AccessDenied" not in code_of(error):
            raise
        told = error.response.get("Error", {}).get("Message", "")
        raise OperationError(f"AWS refuses: {told.rstrip('.')}. {rights} {again}") from None


def _preview(places: Places, passphrase: Passphrase) -> Outcome:
    found = places.kept
    if found == "nowhere":
        with TemporaryDirectory(prefix="myflux-bootstrap-") as folder:
            engine = places.in_folder(secrets.token_hex(16), Path(folder))
            return _told(places, engine, []).preview(places.cell.cell)
    in_folder = found == "folder"
    engine = places.in_folder(passphrase(False)) if in_folder else places.in_bucket(places.kms_key())
    held, mended = looked_at(engine, places.cell.cell)
    return _told(places, engine, _resources(mended.deployment or held)).preview(places.cell.cell)


def _make(places: Places, passphrase: Passphrase, report: Callable[[str], None]) -> Made:
    slug, found = places.cell.cell, places.kept
    if found == "bucket":
        return _up(places, places.in_bucket(places.kms_key()))
    places.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    local = places.in_folder(passphrase(found == "nowhere"))
    if found == "both":
        moving.move(local, places.in_bucket(places.kms_key()), slug)
        shutil.rmtree(places.folder)
        return _up(places, places.in_bucket(places.kms_key()))
    report(f"The state of this bootstrap begins in {places.folder}.")
    made = _up(places, local)
    report(f"It moves to s3://{made.bucket}.")
    moving.move(local, places.in_bucket(made.kms_key), slug)
    shutil.rmtree(places.folder)
    return made


def _up(places: Places, engine: Engine) -> Made:
    slug = places.cell.cell
    held, mended = looked_at(engine, slug)
    if mended.deployment is not None:
        engine.replace_state(slug, mended.deployment)
    # What was added to the state by its name alone may not be there.
    refresh = mended.deployment is not None
    outcome = _told(places, engine, _resources(mended.deployment or held)).up(slug, refresh=refresh)
    told = outcome.outputs
    return Made(told["bucket"], told["kms_key_arn"], told["people_role_arn"], outcome.changes)


def _resources(held: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return (held or {}).get("resources") or []


def looked_at(engine: Engine, stack: str) -> tuple[dict[str, Any] | None, pending.Mended]:
    """The state, and its repair after an engine that was killed: what it made and did not write down is looked for in
    AWS. Raises OperationError for what cannot be found."""
    held = engine.peek(stack)
    mended = pending.mend(held, pending.in_aws) if held else pending.Mended(None)
    if mended.unknown:
        raise OperationError(
            f"an earlier run was killed while it made {', '.join(mended.unknown)}, which cannot be found by name: look "
            "for it in AWS by its tags, delete it there, and take it out of pending_operations with `pulumi stack "
            "export` and `import`. Nothing was changed."
        )
    return held, mended


def _told(places: Places, engine: Engine, resources: list[dict[str, Any]]) -> Engine:
    """The engine, with the OIDC issuers that its stack owns. Raises OperationError for policies of another stack."""
    cell, iam = places.cell, places.account.roles
    names = [cell.names.policy_arn(one) for one in (cell.names.boundary_policy, cell.names.people_role)]
    there = [arn for arn in names if exists(lambda arn=arn: iam.get_policy(PolicyArn=arn))]
    bootstrap.refuse_foreign(cell, bootstrap.foreign_policies(resources, there))
    wanted = cell.pipeline.issuer if cell.pipeline else None
    has = wanted is not None and exists(
        lambda: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn(cell.names, wanted))
    )
    return engine.told({OWN_ISSUERS: " ".join(bootstrap.issuers(resources, wanted, has))})


def exists(look: Callable[[], object]) -> bool:
    """Whether the call `look`, which reads one thing, finds it."""
    try:
        look()
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket", "NoSuchEntity", "NotFoundException"):
            return False
        raise
    return True
