"""Calls one of a cell's functions and reads its answer. A call is never repeated here: it may have had an effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from myflux_keys.redaction import redact
from ops import ways_out
from ops.errors import OperationError, code_of
from tenancy import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_lambda import LambdaClient


class FunctionFailed(OperationError):
    """The function ran and failed: the message holds its reason, redacted."""


def call(cell: Cell, function_name: str, event: Mapping[str, Any], client: LambdaClient) -> dict[str, Any]:
    """The function's answer, a JSON object. Raises OperationError, or botocore's errors where AWS is not reached."""
    log = cell.names.log_group(function_name)
    try:
        answer = client.invoke(FunctionName=function_name, Payload=json.dumps(dict(event)).encode())
        content = answer["Payload"].read()
    except ClientError as error:
        raise OperationError(_refused(cell, function_name, error)) from None
    except (ReadTimeoutError, ConnectionClosedError) as error:
        raise OperationError(
            f"{function_name} did not answer ({type(error).__name__}). It may still be running; its log group {log} "
            "shows what it did. You can run the same command again."
        ) from None
    try:
        parsed: Any = json.loads(content)
    except ValueError:
        parsed = None
    fields = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None
    if answer.get("FunctionError"):
        message = str((fields or {}).get("errorMessage") or "it returned no reason")
        raise FunctionFailed(f"{function_name} failed: {redact(message)} Its log group {log} has more.")
    if fields is None:
        raise OperationError(f"{function_name}'s answer is not a JSON object. See its log group {log}.")
    return fields


def _refused(cell: Cell, function_name: str, error: ClientError) -> str:
    code = code_of(error)
    if code == "ResourceNotFoundException":
        return ways_out.no_function(function_name, cell.cell)
    if code in ("AccessDenied", "AccessDeniedException"):
        allowed = ", ".join(cell.deployers)
        return f"AWS refuses: only the cell's deployers may call {function_name} ({allowed})."
    if code == "TooManyRequestsException":
        return f"{function_name} already runs as often as it may at a time: try again in a minute."
    return f"AWS refuses the call of {function_name}: {code}: {error.response.get('Error', {}).get('Message', '')}"
