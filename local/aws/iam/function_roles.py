"""A function's role: Lambda must be able to assume it, and the function's code has only its credentials.

Owns the check at CreateFunction and UpdateFunctionConfiguration, and an execution's credentials. MiniStack derives
these from public names by a hash, so that anybody could compute them; here they are random.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Any, Final

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import iam as iam_service
from ministack.services import lambda_svc as lambda_service
from ministack.services import sts as sts_service

from local.aws.iam import dead_letters
from local.aws.iam.decision import Request, nearest_allow, resource_denies
from local.aws.iam.patching import replace, require_shape
from local.aws.iam.policy import parse
from local.aws.iam.principals import Caller
from local.aws.iam.request import CURRENT

_SERVICE: Final = "lambda.amazonaws.com"
_REFUSAL: Final = "The role defined for the function cannot be assumed by Lambda."

_issued: dict[tuple[str, str], dict[str, str]] = {}
"""By function's and role's ARN: warm workers keep the credentials with which they started."""
_issuing = threading.Lock()


def install() -> None:
    replace(
        "ministack.core.lambda_runtime", "execution_credentials", "config", lambda _original: _execution_credentials
    )
    replace("ministack.services.lambda_svc", "_create_function", "data", _with_trusted_role)
    replace("ministack.services.lambda_svc", "_update_config", "name, data", _with_trusted_role)
    replace("ministack.services.lambda_svc", "_delete_function", "name, query_params, path_qualifier", _forgetting)
    require_shape("ministack.core.lambda_runtime", "invalidate_worker", "func_name, qualifier, account, region")


def trusts(role_arn: str, service: str, keys: dict[str, str]) -> bool:
    """Whether the role exists and its trust policy lets the service assume it."""
    account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
    role = iam_service._roles.get_scoped(account, None, role_arn.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        return False
    policy = parse(role["AssumeRolePolicyDocument"])
    caller = Caller(kind="Service", arn=service, account=service)
    request = Request("sts:AssumeRole", role_arn, {name.lower(): value for name, value in keys.items()})
    return bool(nearest_allow(policy, caller, request)) and not resource_denies(policy, caller, request)


def _with_trusted_role(original: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arguments: Any) -> Any:
        role = arguments[-1].get("Role")
        if role and not trusts(role, _SERVICE, _source_keys(role)):
            return error_response_json("InvalidParameterValueException", _REFUSAL, 400)
        if problem := dead_letters.refusal(role or _current_role(arguments), arguments[-1]):
            return error_response_json("InvalidParameterValueException", problem, 400)
        answer = original(*arguments)
        if role and len(arguments) == 2 and answer[0] == 200:
            # MiniStack keeps the worker, which would still have the old role.
            _forget(arguments[0])
        return answer

    return checked


def _current_role(arguments: tuple[Any, ...]) -> str:
    """Of the function that UpdateFunctionConfiguration names; empty if there is none."""
    function = lambda_service._functions.get(arguments[0]) if len(arguments) == 2 else None
    return function["config"]["Role"] if function else ""


def _forgetting(original: Callable[..., Any]) -> Callable[..., Any]:
    def _delete_function(name: str, query_params: dict[str, Any], path_qualifier: str | None = None) -> Any:
        answer = original(name, query_params, path_qualifier)
        if answer[0] < 300:
            _forget(name)
        return answer

    return _delete_function


def _forget(function: str) -> None:
    """The next execution starts a new worker, with new credentials."""
    with _issuing:
        for arn, role in [key for key in _issued if key[0].split(":")[6] == function.split(":")[-1]]:
            del _issued[arn, role]
    lambda_runtime.invalidate_worker(function, account=get_account_id(), region=get_region())


def _source_keys(role_arn: str) -> dict[str, str]:
    request = CURRENT.get()
    name = request.parameters.get("FunctionName", "") if request else ""
    account = role_arn.split(":")[4]
    return {"aws:SourceAccount": account, "aws:SourceArn": f"arn:aws:lambda:us-east-1:{account}:function:{name}"}


def _execution_credentials(config: dict[str, Any]) -> dict[str, str]:
    function_arn, role_arn = config["FunctionArn"], config.get("Role", "")
    with _issuing:
        issued = _issued.get((function_arn, role_arn))
        if issued is None or not _is_of(role_arn, sts_service._sessions.get(issued["AWS_ACCESS_KEY_ID"])):
            issued = _issued[function_arn, role_arn] = _issue(config, role_arn)
    return dict(issued)


def _is_of(role_arn: str, session: dict[str, Any] | None) -> bool:
    """Whether the session is of the role that has this ARN now: one made anew has another id."""
    role = iam_service._roles.get_scoped(role_arn.split(":")[4], None, role_arn.rpartition("/")[2]) or {}
    return session is not None and session["UserId"].partition(":")[0] == role.get("RoleId")


def _issue(config: dict[str, Any], role_arn: str) -> dict[str, str]:
    account, role_name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam_service._roles.get_scoped(account, None, role_name) or {}
    session_name = config.get("FunctionName", "")[:64]
    issued = {
        "AWS_ACCESS_KEY_ID": sts_service._gen_session_access_key(),
        "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
        "AWS_SESSION_TOKEN": secrets.token_urlsafe(96),
    }
    sts_service.register_session(
        issued["AWS_ACCESS_KEY_ID"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role.get('RoleId', role_name)}:{session_name}",
            "SecretAccessKey": issued["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": issued["AWS_SESSION_TOKEN"],
            "AccountId": account,
            "PrincipalType": "AssumedRole",
            "SourceFunctionArn": config["FunctionArn"],
        },
    )
    return issued
