"""A function's dead-letter target: Lambda takes it only if the function's role may send there.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from local.aws.iam.callers import identify
from local.aws.iam.enforcement import judge

_SENDS: Final = {"sns": ("sns:Publish", "Publish on SNS"), "sqs": ("sqs:SendMessage", "SendMessage on SQS")}
"""By the target's service: the action, and how Lambda names it."""


def refusal(role_arn: str, request: dict[str, Any]) -> str | None:
    """Lambda's text, or None. `request` is CreateFunction's or UpdateFunctionConfiguration's."""
    target = (request.get("DeadLetterConfig") or {}).get("TargetArn") or ""
    if target.count(":") < 5 or role_arn.count(":") < 5:
        return None
    action, named = _SENDS.get(target.split(":")[2], (None, ""))
    if action is None or _may(role_arn, action, target):
        return None
    return f"The provided execution role does not have permissions to call {named}"


def _may(role_arn: str, action: str, target: str) -> bool:
    """What Lambda could do as the role, which no session need exist for."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    session = SimpleNamespace(
        access_key_id="",
        account_id=account,
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/awslambda",
        principal_id=name,
        principal_name=name,
        principal_type="AssumedRole",
    )
    return judge(identify(session), action, target, request=None, extra={}) is None
