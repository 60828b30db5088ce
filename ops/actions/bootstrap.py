"""What a bootstrap decides, as pure functions: where its own state is, which OIDC providers it owns, what it prints.

Leaves out the run (`run_bootstrap`), the deletion (`run_bootstrap_deletion`) and what is made
(`components/bootstrap.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ops.errors import OperationError
from ops.stacks.steps import UNTOUCHED
from tenancy import Cell

PROVIDER: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
POLICY: Final = "aws:iam/policy:Policy"
Kept = Literal["nowhere", "folder", "bucket", "both"]
"""Where the bootstrap's own state is. In both: the move was interrupted."""


@dataclass(frozen=True)
class Made:
    """What the stack exports. `role` is that of people, `changes` counts resources by the kind of change."""

    bucket: str
    kms_key: str
    role: str
    changes: Mapping[str, int]

    @property
    def changed(self) -> int:
        return sum(count for kind, count in self.changes.items() if kind not in UNTOUCHED)


def kept(folder: bool, bucket: bool) -> Kept:
    if folder and bucket:
        return "both"
    return "folder" if folder else "bucket" if bucket else "nowhere"


def refuse_a_place_of_its_own(cell: Cell) -> None:
    """Raises OperationError for a cell whose state is in a bucket that no bootstrap made."""
    kept_in = cell.kept_in
    if kept_in is not None and kept_in.bucket != cell.names.state_bucket:
        raise OperationError(
            f"cells/{cell.cell}.yaml keeps its state in s3://{kept_in.bucket}, which `bootstrap` did not make: it "
            f"makes {cell.names.state_bucket}. This cell was set up by hand and needs no bootstrap; docs/state.md says "
            "how to move its state. Nothing was changed."
        )


def refuse_a_name_that_begins_another(cell: Cell, cells: Iterable[Cell]) -> None:
    """Raises OperationError for a new cell whose names in IAM begin as those of another cell of the account do, or the
    other way: the people of one would reach the roles of the other. Every local cell has the same account."""
    if cell.bootstrapped or cell.local:
        return
    for other in cells:
        shorter, longer = sorted((cell.cell, other.cell), key=len)
        if other.account_id == cell.account_id and longer.startswith(f"{shorter}-"):
            raise OperationError(
                f"cells {shorter} and {longer} are in account {cell.account_id}, and what belongs to {longer} has "
                f"names that begin with myflux-{shorter}-: who deploys {shorter} could change roles of {longer}. "
                f"Give {cell.cell} another slug, or an account of its own. Nothing was changed."
            )


def issuers(resources: Iterable[Mapping[str, Any]], wanted: str | None, account_has: bool) -> list[str]:
    """Whose providers the stack owns: those that it made, and that of the pipeline if the account had none.

    `wanted` is the pipeline's issuer. One that the stack made stays its own though no pipeline of this cell names it
    any more: others may use it.
    """
    own = [str(one["inputs"]["url"]).removeprefix("https://") for one in resources if one["type"] == PROVIDER]
    make = [wanted] if wanted and wanted not in own and not account_has else []
    return [*own, *make]


def foreign_policies(resources: Iterable[Mapping[str, Any]], there: Sequence[str]) -> list[str]:
    """Of the policies `there` in the account (ARNs), those that the stack did not make."""
    own = {str(one.get("id")) for one in resources if one["type"] == POLICY}
    return [arn for arn in there if arn not in own]


def refuse_foreign(cell: Cell, arns: Sequence[str]) -> None:
    if arns:
        raise OperationError(
            f"{', '.join(arns)} exists already and is not of this bootstrap. If the platform of {cell.cell} was "
            "deployed without one, its stack owns it: a cell keeps the way that it began with. Nothing was changed."
        )


def block(made: Made) -> str:
    """What is to be pasted into the cell's file."""
    return f"bootstrapped: true\nstate:\n  bucket: {made.bucket}\n  kms_key: {made.kms_key}"


def is_in_file(cell: Cell, made: Made) -> bool:
    state = cell.state
    return cell.bootstrapped and state is not None and (state.bucket, state.kms_key) == (made.bucket, made.kms_key)
