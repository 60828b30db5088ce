"""How Secrets Manager calls a rotation function.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack import app
from ministack.services import lambda_svc

from local.aws.iam.authorize import authorize_service
from local.aws.secrets.store import Record, acting_for, scope_of

PRINCIPAL = "secretsmanager.amazonaws.com"

_INVOKE = "lambda:InvokeFunction"

_FUNCTION_ARN = re.compile(
    r"arn:aws:lambda:(?P<region>[a-z0-9-]+):\d{12}:function:(?P<name>[A-Za-z0-9_-]+)(:(?P<qualifier>[A-Za-z0-9$_-]+))?"
)

USED = {
    "ministack.app.call_service_handler_sync": "handler, method, path, headers, body, query_params, timeout",
    "ministack.services.lambda_svc._get_func_record_for_ref_in_scope": "function_ref, account_id, region",
    "ministack.services.lambda_svc.handle_request": "method, path, headers, body, query_params",
}
"""Functions of MiniStack that are called here, with their parameters."""


class StepFailed(Exception):
    """One call of the function did not succeed. The message is what RotationFailed carries."""


class Throttled(StepFailed):
    """Lambda had no execution free (429): the function was not run."""


def is_function_arn(text: str) -> bool:
    return _FUNCTION_ARN.fullmatch(text) is not None


def allowed(secret: Record, function_arn: str) -> bool:
    """Whether the function exists and its policy lets Secrets Manager invoke it for this secret.

    aws:SourceAccount and aws:SourceArn are the secret's, so a policy bound to another account or secret refuses.
    """
    account, region = scope_of(secret)
    source = {"aws:SourceAccount": account, "aws:SourceArn": secret["ARN"]}
    with acting_for(secret):
        function, _, _ = lambda_svc._get_func_record_for_ref_in_scope(function_arn, account_id=account, region=region)
        return function is not None and authorize_service(PRINCIPAL, _INVOKE, function_arn, extra=source)


def invoke(secret: Record, function_arn: str, step: str, event: dict[str, Any]) -> None:
    """Runs the function synchronously, as any caller of Lambda's Invoke does. Raises StepFailed, and its subclass
    Throttled."""
    failure = f"Error when executing lambda {function_arn} during {step} step"
    parts = _FUNCTION_ARN.fullmatch(function_arn)
    if parts is None or not allowed(secret, function_arn):
        raise StepFailed(f"{failure}: Secrets Manager may not invoke it")
    query = {"Qualifier": [parts["qualifier"]]} if parts["qualifier"] else {}
    path = f"/2015-03-31/functions/{parts['name']}/invocations"
    with acting_for(secret):
        status, headers, _ = app.call_service_handler_sync(
            lambda_svc.handle_request, "POST", path, {}, json.dumps(event).encode(), query
        )
    if status == 429:
        raise Throttled(f"{failure}: Lambda answered 429")
    if status != 200:
        raise StepFailed(f"{failure}: Lambda answered {status}")
    if "X-Amz-Function-Error" in headers:
        raise StepFailed(failure)
