"""What `doctor` says of the machine, the caller and the account: whether they can hold the cell. Pure functions.

Leaves out what the platform's stack makes (`doctor.py`) and every call (`doctor_looks.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ops import ways_out
from ops.actions.doctor import Finding, not_checked, ok, wrong
from tenancy import Cell

SKEW_SECONDS: Final = 300
"""AWS refuses a signature whose time differs by more:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""
UNRESERVED: Final = 100
"""Executions that AWS demands to be left for functions without a reservation:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
_PUBLIC: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def python(version: tuple[int, ...], requires: str) -> Finding:
    """`requires` is the repository's, such as ``>=3.11``."""
    shown = ".".join(map(str, version))
    if version < _numbers(requires):
        return wrong(
            "Python", f"{shown}; the repository needs {requires}", "install a newer Python, then `make install`"
        )
    return ok("Python", f"{shown}; the repository needs {requires}")


def engine(version: str | None, pinned: str) -> Finding:
    """`version` as `pulumi version` prints it; None where there is no `pulumi` on PATH that answers."""
    mend = "`make engine`, then put the folder that it prints on PATH"
    if version is None:
        return wrong("Pulumi engine", "there is no `pulumi` on PATH that tells its version", mend)
    shown = version.removeprefix("v")
    # 3.250.0-alpha.1 comes before 3.250.0.
    older = _numbers(shown) < _numbers(pinned) or (_numbers(shown) == _numbers(pinned) and "-" in shown)
    if older:
        return wrong("Pulumi engine", f"{shown}; the repository needs {pinned} or newer", mend)
    return ok("Pulumi engine", f"{shown}; the repository needs {pinned} or newer")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def clock(ahead: float | None, *, local: bool) -> Finding:
    """`ahead`: by how many seconds this machine's clock is ahead of AWS's; None where AWS did not tell its time."""
    if ahead is None:
        return not_checked("clock", "AWS did not answer with its time")
    seen = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS"
    if abs(ahead) <= SKEW_SECONDS:
        return ok("clock", seen)
    if local:
        return not_checked("clock", f"{seen}; a local cell's clock is moved by `myflux-keys local advance`")
    return wrong(
        "clock",
        f"{seen}; AWS refuses signatures that are more than {SKEW_SECONDS // 60} minutes off",
        "set this machine's clock, for example by `sudo timedatectl set-ntp true`",
    )


def caller(cell: Cell, account: str, arn: str, region: str | None) -> Finding:
    """`region` is the Region of the caller's environment or profile; None where it names none."""
    check = "account and Region"
    if account != cell.account_id:
        return wrong(
            check,
            f"{arn} is in account {account}; the cell is in {cell.account_id}",
            f"sign in to account {cell.account_id}",
        )
    if region is not None and region != cell.region:
        return wrong(
            check,
            f"{arn}; your Region is {region}, the cell's {cell.region}, so that `aws` itself looks elsewhere",
            f"`export AWS_REGION={cell.region} AWS_DEFAULT_REGION={cell.region}`",
        )
    return ok(check, f"{arn} in account {account}, {cell.region}")


def concurrency(unreserved: int, total: int, missing: int, region: str) -> Finding:
    """`missing`: executions that the cell's functions have still to reserve."""
    check, left = "Lambda concurrency", unreserved - missing
    seen = f"{unreserved} of {total} executions unreserved, {missing} still to reserve for the cell's functions"
    if left >= UNRESERVED or not missing:
        return ok(check, seen)
    return wrong(
        check,
        f"{seen}; AWS demands that {UNRESERVED} stay unreserved",
        f"`aws service-quotas request-service-quota-increase --region {region} --service-code lambda --quota-code "
        f"L-B99A9384 --desired-value {max(1000, total + UNRESERVED - left)}`",
    )


def roles(used: int, quota: int, missing: int) -> Finding:
    """`missing`: roles that the cell's stacks have still to make."""
    check, seen = "IAM roles", f"{used} of {quota} roles used, {missing} still to make for the cell"
    if quota - used >= missing:
        return ok(check, seen)
    return wrong(check, seen, "ask AWS for more: console, Service Quotas, IAM, Roles per account")


def bucket(name: str, wanted: str, region: str | None) -> Finding:
    """`region` None: there is no such bucket."""
    if region is None:
        return wrong(
            "state bucket",
            f"there is no bucket {name}",
            "correct state.bucket in the cell's file; `myflux-keys bootstrap` makes it and prints it: docs/state.md",
        )
    if region != wanted:
        return wrong(
            "state bucket",
            f"{name} is in {region}, the cell in {wanted}",
            f"name a bucket in {wanted}: docs/state.md says how to move the state",
        )
    return ok("state bucket", f"{name} in {region}")


def versioning(name: str, status: str | None) -> Finding:
    if status == "Enabled":
        return ok("state: versions", "the bucket keeps old versions")
    return wrong(
        "state: versions",
        f"versioning is {status or 'off'}, so an overwritten state is lost",
        f"`{ways_out.old_states_kept(name)}`",
    )


def public_access(name: str, blocked: Mapping[str, Any] | None) -> Finding:
    """`blocked` None: the bucket has no such settings of its own."""
    check, off = "state: public access", [one for one in _PUBLIC if not (blocked or {}).get(one)]
    if not off:
        return ok(check, "blocked")
    return wrong(
        check,
        f"the bucket does not block it: {', '.join(off)} not set",
        f"`aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
        f"{','.join(f'{one}=true' for one in _PUBLIC)}`",
    )


def encryption(name: str, algorithm: str | None) -> Finding:
    check = "state: encryption"
    if algorithm:
        return ok(check, f"by default with {algorithm}")
    return wrong(
        check,
        "the bucket has no default encryption",
        f"`aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration "
        """'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'`""",
    )


def state_key(arn: str, found: Mapping[str, Any] | None) -> Finding:
    """`found` is DescribeKey's KeyMetadata; None where there is no such key."""
    check, region = "state: KMS key", arn.split(":")[3]
    if found is None:
        return wrong(check, f"there is no key {arn}", "correct state.kms_key in the cell's file")
    state, of = found.get("KeyState"), f"--region {region} --key-id {arn}"
    if (found.get("KeyUsage"), found.get("KeySpec")) != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        return wrong(check, f"{arn} is no symmetric key that encrypts", "name another in state.kms_key: docs/state.md")
    if state == "Enabled":
        return ok(check, "enabled, and you may describe it; nothing was encrypted to try it")
    if state == "PendingDeletion":
        mend = f"`aws kms cancel-key-deletion {of}`, then `aws kms enable-key {of}`"
        return wrong(check, f"its deletion is scheduled; with it the state's secrets are lost: {arn}", mend)
    return wrong(check, f"{arn} is {state}", f"`aws kms enable-key {of}`")
