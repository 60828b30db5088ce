"""Calls one of a cell's functions and reads its answer. A call is never repeated here: it may have had an effect.

Functions are deployed with the platform, and commands run from a checkout, so the two may be of different versions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from functions.sweep.request import CONTRACT, RequestError
from myflux_keys.cell_functions import HEALTH
from myflux_keys.redaction import redact
from ops import ways_out
from ops.errors import DENIED, OperationError, code_of
from tenancy import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_lambda import LambdaClient


class FunctionFailed(OperationError):
    """The function ran and failed: the message holds its reason, redacted."""


class OtherVersion(FunctionFailed):
    """The function does not understand the request: it was deployed from another version. It has changed nothing."""


class Busy(OperationError):
    """The function runs as often as it may at a time. It has not been called."""


def refuse_other_version(cell: Cell, client: LambdaClient, meanwhile: str = "") -> None:
    """For a command that has changed nothing yet. Raises OperationError where the sweep function is older than it.

    A function that does not answer at all is left to the call that needs it: reads can be denied without it.
    `meanwhile` is a sentence on what the operator can do at once."""
    function = cell.names.sweep_function
    try:
        answered = call(cell, function, {"action": "contract"}, client).get("contract", 0)
        if answered >= CONTRACT:
            return
    except OtherVersion:
        pass
    except OperationError:
        return
    raise OperationError(
        f"{function} is of an earlier version than this checkout, and cannot do all that this command needs. "
        f"Nothing was changed. {ways_out.deploy_platform(cell.cell)} {meanwhile}".strip()
    )


def look_at(cell: Cell, tenant: str, client: LambdaClient) -> dict[str, Any]:
    """What the health function finds when it looks at one tenant now. Raises what `call` raises."""
    return call(cell, cell.names.function(HEALTH), {"action": "look", "tenant": tenant}, client)


def call(cell: Cell, function_name: str, event: Mapping[str, Any], client: LambdaClient) -> dict[str, Any]:
    """The function's answer, a JSON object. Raises OperationError, or botocore's errors where AWS is not reached."""
    log = cell.names.log_group(function_name)
    try:
        answer = client.invoke(FunctionName=function_name, Payload=json.dumps(dict(event)).encode())
        content = answer["Payload"].read()
    except ClientError as error:
        if code_of(error) == "TooManyRequestsException":
            raise Busy(f"{function_name} already runs as often as it may at a time: try again in a minute.") from None
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
        if message.startswith(f"{RequestError.__name__}: "):
            raise OtherVersion(
                f"{function_name} is of another version than this checkout, and does not understand the request "
                f"({redact(message)}). {ways_out.deploy_platform(cell.cell)}"
            )
        raise FunctionFailed(f"{function_name} failed: {redact(message)} Its log group {log} has more.")
    if fields is None:
        raise OperationError(f"{function_name}'s answer is not a JSON object. See its log group {log}.")
    return fields


def _refused(cell: Cell, function_name: str, error: ClientError) -> str:
    code = code_of(error)
    if code == "ResourceNotFoundException":
        return ways_out.no_function(function_name, cell.cell)
    if code in DENIED:
        allowed = ", ".join(cell.deployers)
        return f"AWS refuses: only the cell's deployers may call {function_name} ({allowed})."
    return f"AWS refuses the call of {function_name}: {code}: {error.response.get('Error', {}).get('Message', '')}"
