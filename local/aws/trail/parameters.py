"""The parts of a request and its response that CloudTrail records.

Owns AWS's spelling and the fields that AWS leaves out: secrets' values, plaintext, code, payloads, credentials.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-cloudtrail.html
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from local.aws.iam.request import ServiceRequest

_LEFT_OUT: Final = frozenset(
    [
        "action",
        "authparameters",
        "awsaccesskeyid",
        "ciphertextblob",
        "ciphertextforrecipient",
        "code",
        "credentials",
        "keymaterial",
        "message",
        "messagebody",
        "password",
        "payload",
        "plaintext",
        "privatekeyciphertextblob",
        "privatekeyplaintext",
        "random",
        "rotationtoken",
        "secretaccesskey",
        "secretbinary",
        "secretstring",
        "secretvalues",
        "sessiontoken",
        "signature",
        "signaturemethod",
        "signatureversion",
        "timestamp",
        "tokencode",
        "version",
        "webidentitytoken",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
        "zipfile",
    ]
)
"""By lower-case name, at any depth."""

_HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"
_HIDDEN_FIELDS: Final = frozenset({"environment", "input"})
"""A function's environment and a target's input: recorded as present, without their content."""

_READ_ONLY: Final = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet")


def request_parameters(request: ServiceRequest) -> dict[str, Any] | None:
    return _kept({**_path_parameters(request), **request.parameters}) or None


def response_elements(request: ServiceRequest, name: str, body: bytes) -> dict[str, Any] | None:
    """None for calls that change nothing. KMS's responses are never recorded."""
    if name.startswith(_READ_ONLY) or request.service == "kms":
        return None
    if request.service == "sts" and name.startswith("AssumeRole"):
        return _assumed(body.decode("utf-8", "replace"))
    if not body.startswith(b"{"):
        return None
    try:
        data: Any = json.loads(body)
    except ValueError:
        return None
    return _kept(data) or None


def _assumed(xml: str) -> dict[str, Any]:
    """Without the session's token: AWS records it, but no reader of the history needs it."""

    def element(tag: str) -> str:
        found = re.search(rf"<{tag}>([^<]*)</{tag}>", xml)
        return found[1] if found else ""

    return {
        "credentials": {"accessKeyId": element("AccessKeyId"), "expiration": element("Expiration")},
        "assumedRoleUser": {"assumedRoleId": element("AssumedRoleId"), "arn": element("Arn")},
    }


def _path_parameters(request: ServiceRequest) -> dict[str, Any]:
    parts = [part for part in request.path.split("/") if part]
    if request.service == "lambda" and "functions" in parts[:-1]:
        return {"functionName": parts[parts.index("functions") + 1]}
    return {}


def _kept(value: Any, name: str = "") -> Any:
    if name.lower() in _HIDDEN_FIELDS:
        return _HIDDEN
    if isinstance(value, dict):
        return {_spelled(str(k)): _kept(v, str(k)) for k, v in value.items() if str(k).lower() not in _LEFT_OUT}
    if isinstance(value, list):
        return [_kept(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _spelled(name: str) -> str:
    return name[:1].lower() + name[1:]
