"""Second factors: IAM's virtual MFA devices, and AssumeRole with a device's code.

MiniStack makes seeds that no authenticator takes, enables a device by any codes, and looks at no code. Here a code is
right for its 30 seconds and those beside them, by the cell's clock, and only once. A wrong or missing code refuses the
call before any policy is asked, as in AWS. Devices are for users: a session has none, so a role's session shows a
second factor only if it was begun with one.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_sample-code.html
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from ministack.services import iam as iam_service

from local import clock, totp
from local.aws.iam.key_values import Values
from local.aws.iam.patching import replace_operation
from local.aws.iam.principals import Caller
from local.aws.iam.request import ServiceRequest

_SEED_BYTES: Final = 40
_SHOWN: Final = "LastStep"
"""On a device, as MiniStack keeps it: the number of the last code that was used."""
_WITH: ContextVar[str | None] = ContextVar("myflux_second_factor", default=None)
"""The id of the request whose code was right."""

_FAILED: Final = "MultiFactorAuthentication failed"
_INCOMPLETE: Final = f"{_FAILED}, must provide both MFA serial number and one time pass code."
_NO_DEVICE: Final = (
    f"{_FAILED}, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this "
    "user."
)
_WRONG: Final = f"{_FAILED} with invalid MFA one time pass code. "


def install() -> None:
    replace_operation("CreateVirtualMFADevice", _with_a_seed)
    replace_operation("EnableMFADevice", _by_two_codes)


def _with_a_seed(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(p: dict[str, Any]) -> Any:
        before = set(iam_service._mfa_devices)
        answer = original(p)
        for serial in set(iam_service._mfa_devices) - before:
            device = iam_service._mfa_devices[serial]
            made, device["Base32StringSeed"] = device["Base32StringSeed"], _seed()
            body = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
            shown = body.replace(_encoded(made), _encoded(device["Base32StringSeed"]))
            answer = (answer[0], answer[1], shown.encode() if isinstance(answer[2], bytes) else shown)
        return answer

    return create


def _seed() -> str:
    return base64.b32encode(secrets.token_bytes(_SEED_BYTES)).decode()


def _encoded(seed: str) -> str:
    """A blob is base64 in XML, also one that holds base32."""
    return base64.b64encode(seed.encode()).decode()


def _by_two_codes(original: Callable[..., Any]) -> Callable[..., Any]:
    def enable(p: dict[str, Any]) -> Any:
        device = iam_service._mfa_devices.get(iam_service._p(p, "SerialNumber"))
        if device is not None and not _two_in_a_row(device, p):
            message = "Authentication code for device is not valid."
            return iam_service._error(403, "InvalidAuthenticationCode", message, ns="iam")
        return original(p)

    return enable


def _two_in_a_row(device: dict[str, Any], p: dict[str, Any]) -> bool:
    first, second = (iam_service._p(p, f"AuthenticationCode{place}") for place in (1, 2))
    now = totp.step(clock.now())
    for number in range(now - 2, now + 2):
        if (first, second) == tuple(totp.code(device["Base32StringSeed"], one) for one in (number, number + 1)):
            device[_SHOWN] = number + 1
            return True
    return False


def refused(request: ServiceRequest, caller: Caller) -> str | None:
    """AWS's words for an AssumeRole whose code is wrong or missing; None for one with a right code, or without any.
    A right code is used up."""
    _WITH.set(None)
    if request.operation != "AssumeRole":
        return None
    serial, given = (str(request.parameters.get(name) or "") for name in ("SerialNumber", "TokenCode"))
    if not serial and not given:
        return None
    if not serial or not given:
        return _INCOMPLETE
    device = iam_service._mfa_devices.get(serial)
    owner = (device or {}).get("User")
    if device is None or caller.kind != "User" or owner != caller.arn.rpartition("/")[2]:
        return _NO_DEVICE
    now = totp.step(clock.now())
    for number in range(max(now - 1, device.get(_SHOWN, 0) + 1), now + 2):
        if secrets.compare_digest(given.encode(), totp.code(device["Base32StringSeed"], number).encode()):
            device[_SHOWN] = number
            _WITH.set(request.request_id)
            return None
    return _WRONG


def was_given(request: ServiceRequest) -> bool:
    """Whether the request bore a right code."""
    return _WITH.get() == request.request_id


def factor_keys(request: ServiceRequest) -> Values:
    """Of a call by an access key without a code, both keys are absent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    if not was_given(request):
        return {}
    return {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0"}
