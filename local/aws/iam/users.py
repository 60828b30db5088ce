"""The local cell's IAM users, made by IAM's operations, with random access keys; the person who deploys has a second
factor too. Their policies: `user_policies`."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

from ministack.services import iam as iam_service

from local import clock, totp
from local.aws.iam.patching import UnexpectedShape
from local.aws.iam.user_policies import PERSON, POLICIES


def install(home: Path) -> None:
    """Makes the users and writes `home/credentials` (mode 0600): AWS's shared-credentials format, a profile a user.

    `home/mfa`, likewise: serial number and seed of the person's device.
    """
    profiles = [f"[{name}]\n{_make(name, documents)}" for name, documents in POLICIES.items()]
    _write_private(home / "credentials", "\n".join(profiles))
    _write_private(home / "mfa", f"[{PERSON}]\n{_device(PERSON)}")


def _make(name: str, documents: tuple[str, ...]) -> str:
    """Managed policies: a user's inline ones have room for 2,048 characters together."""
    _call("CreateUser", UserName=name)
    for number, document in enumerate(documents, start=1):
        made = _call("CreatePolicy", PolicyName=f"{name}-{number}", Path="/users/", PolicyDocument=document)
        _call("AttachUserPolicy", UserName=name, PolicyArn=_element(made, "Arn"))
    answer = _call("CreateAccessKey", UserName=name)
    return (
        f"aws_access_key_id = {_element(answer, 'AccessKeyId')}\n"
        f"aws_secret_access_key = {_element(answer, 'SecretAccessKey')}\n"
    )


def _device(user: str) -> str:
    """A virtual MFA device that is the user's own: its serial number, and the seed of its codes."""
    made = _call("CreateVirtualMFADevice", VirtualMFADeviceName=user)
    serial, seed = _element(made, "SerialNumber"), base64.b64decode(_element(made, "Base32StringSeed")).decode()
    # Codes of before now, so that the first one that a person reads is not used yet.
    first = totp.step(clock.now()) - 2
    codes = {f"AuthenticationCode{n}": totp.code(seed, first + n - 1) for n in (1, 2)}
    _call("EnableMFADevice", UserName=user, SerialNumber=serial, **codes)
    return f"serial_number = {serial}\nseed = {seed}\n"


def _call(operation: str, **parameters: str) -> str:
    answer: tuple[int, Any, bytes | str] = iam_service._IAM_HANDLERS[operation](parameters)
    status, body = answer[0], answer[2]
    text = body.decode() if isinstance(body, bytes) else body
    if status != 200:
        raise UnexpectedShape(f"IAM's {operation} answered {status} when the cell's users were made: {text}")
    return text


def _element(xml: str, tag: str) -> str:
    found = re.search(rf"<{tag}>([^<]+)</{tag}>", xml)
    if found is None:
        raise UnexpectedShape(f"IAM's CreateAccessKey answered without {tag}: the cell's users have no keys")
    return found[1]


def _write_private(path: Path, text: str) -> None:
    replacement = path.with_suffix(".new")
    replacement.unlink(missing_ok=True)
    with os.fdopen(os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    replacement.replace(path)
