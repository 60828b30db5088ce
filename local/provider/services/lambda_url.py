"""The URL of a Lambda function.

With the authorization NONE the official plugin also writes the two statements that open it to everybody, unless the
function's policy has statements of these ids, and does not remove them:
https://github.com/hashicorp/terraform-provider-aws/pull/44858
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import Change, Created, Property, Resource, Scalar, State
from local.provider.rules import one_of
from local.provider.services.lambda_settings import POLICY_LOCK

_OPENED: Final[tuple[dict[str, Any], ...]] = (
    {
        "StatementId": "FunctionURLAllowPublicAccess",
        "Action": "lambda:InvokeFunctionUrl",
        "FunctionUrlAuthType": "NONE",
    },
    {
        "StatementId": "FunctionURLAllowInvokeAction",
        "Action": "lambda:InvokeFunction",
        "InvokedViaFunctionUrl": True,
    },
)


def _create(aws: Aws, inputs: State) -> Created:
    functions, name = aws.client("lambda"), inputs["functionName"]
    functions.create_function_url_config(
        FunctionName=name, AuthType=inputs["authorizationType"], InvokeMode=inputs["invokeMode"]
    )
    return Created(name)


def _open(aws: Aws, id: str, inputs: State) -> None:
    if inputs["authorizationType"] != "NONE":
        return
    for statement in _OPENED:
        try:
            with POLICY_LOCK:
                aws.client("lambda").add_permission(FunctionName=id, Principal="*", **statement)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceConflictException":
                raise


def _read(aws: Aws, id: str, prior: State) -> State | None:
    held = aws.client("lambda").get_function_url_config(FunctionName=id)
    url = held["FunctionUrl"]
    return {
        "functionName": prior.get("functionName") or id,
        "authorizationType": held["AuthType"],
        "invokeMode": held.get("InvokeMode", "BUFFERED"),
        "functionArn": held["FunctionArn"],
        "functionUrl": url,
        "urlId": (urlsplit(url).hostname or "").partition(".")[0],
    }


def _update(aws: Aws, change: Change) -> State:
    new = change.new
    aws.client("lambda").update_function_url_config(
        FunctionName=change.id, AuthType=new["authorizationType"], InvokeMode=new["invokeMode"]
    )
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("lambda").delete_function_url_config(FunctionName=id)


RESOURCES = (
    Resource(
        type="aws:lambda/functionUrl:FunctionUrl",
        inputs={
            "authorizationType": Property(Scalar.STRING, required=True, rule=one_of(("AWS_IAM", "NONE"))),
            "functionName": Property(Scalar.STRING, required=True, replaces=True),
            "invokeMode": Property(Scalar.STRING, default="BUFFERED", rule=one_of(("BUFFERED", "RESPONSE_STREAM"))),
        },
        outputs={"functionArn": Scalar.STRING, "functionUrl": Scalar.STRING, "urlId": Scalar.STRING},
        create=_create,
        complete=_open,
        read=_read,
        update=_update,
        delete=_delete,
    ),
)
