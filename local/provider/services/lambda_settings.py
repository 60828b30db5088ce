"""Who may invoke a Lambda function, and its settings for asynchronous invocations."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from local.provider.aws import Aws, Refused
from local.provider.model import AutoName, Change, Created, ObjectOf, Property, Resource, Scalar, State
from local.provider.rules import between, is_arn, matches, one_of

_OPTIONAL = {
    "sourceAccount": "SourceAccount",
    "sourceArn": "SourceArn",
    "qualifier": "Qualifier",
    "functionUrlAuthType": "FunctionUrlAuthType",
    "invokedViaFunctionUrl": "InvokedViaFunctionUrl",
}

_LONGEST_AGE = 21600

POLICY_LOCK = threading.Lock()
"""AWS loses statements added to one function's policy at the same time: as the official plugin, adds one at a time."""


def _add(aws: Aws, inputs: State) -> Created:
    with POLICY_LOCK:
        aws.client("lambda").add_permission(
            FunctionName=inputs["function"],
            StatementId=inputs["statementId"],
            Action=inputs["action"],
            Principal=inputs["principal"],
            **{theirs: inputs[ours] for ours, theirs in _OPTIONAL.items() if inputs.get(ours)},
        )
    return Created(inputs["statementId"])


def _read(aws: Aws, id: str, prior: State) -> State | None:
    function, qualifier, statement_id = _address(id, prior)
    answer = aws.client("lambda").get_policy(FunctionName=function, **({"Qualifier": qualifier} if qualifier else {}))
    statements: list[dict[str, Any]] = json.loads(answer["Policy"])["Statement"]
    statement = next((each for each in statements if each.get("Sid") == statement_id), None)
    if statement is None:
        return None
    return {
        "id": statement_id,
        "statementId": statement_id,
        "function": function,
        "qualifier": qualifier or None,
        "action": statement["Action"],
        "principal": _principal(statement["Principal"]),
    } | _bounds(statement.get("Condition") or {})


def _address(id: str, prior: State) -> tuple[str, str, str]:
    """(function, qualifier, statement). An import gives ``function/statement`` or ``function:qualifier/statement``."""
    if prior.get("function"):
        return prior["function"], prior.get("qualifier") or "", id
    function, _, statement_id = id.partition("/")
    if not function or not statement_id:
        raise Refused(f"{id!r} is not the id of a permission: function/statement-id or function:qualifier/statement-id")
    name, _, qualifier = function.partition(":")
    return name, qualifier, statement_id


def _principal(principal: Any) -> str:
    return str(next(iter(principal.values()))) if isinstance(principal, Mapping) else str(principal)


def _bounds(condition: Mapping[str, Mapping[str, str]]) -> State:
    keys = {key.lower(): value for test in condition.values() for key, value in test.items()}
    seen: State = {
        "sourceAccount": keys.get("aws:sourceaccount"),
        "sourceArn": keys.get("aws:sourcearn"),
        "functionUrlAuthType": keys.get("lambda:functionurlauthtype"),
        "invokedViaFunctionUrl": keys.get("lambda:invokedviafunctionurl") == "true",
    }
    return {name: value for name, value in seen.items() if value}


def _through_a_url(inputs: State) -> list[tuple[str, str]]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    found: list[tuple[str, str]] = []
    if inputs.get("invokedViaFunctionUrl") and inputs.get("action") not in (None, "lambda:InvokeFunction"):
        found.append(("invokedViaFunctionUrl", "is for the action lambda:InvokeFunction alone"))
    if inputs.get("functionUrlAuthType") and inputs.get("action") not in (None, "lambda:InvokeFunctionUrl"):
        found.append(("functionUrlAuthType", "is for the action lambda:InvokeFunctionUrl alone"))
    return found


def _remove(aws: Aws, id: str, state: State) -> None:
    qualifier = state.get("qualifier")
    with POLICY_LOCK:
        aws.client("lambda").remove_permission(
            FunctionName=state["function"], StatementId=id, **({"Qualifier": qualifier} if qualifier else {})
        )


def _event_config(inputs: State) -> dict[str, Any]:
    request: dict[str, Any] = {"MaximumRetryAttempts": inputs["maximumRetryAttempts"]}
    if inputs.get("maximumEventAgeInSeconds"):
        request["MaximumEventAgeInSeconds"] = inputs["maximumEventAgeInSeconds"]
    destinations = inputs.get("destinationConfig") or {}
    given = {key[0].upper() + key[1:]: {"Destination": to["destination"]} for key, to in destinations.items() if to}
    return request | {"DestinationConfig": given}


def _named(inputs: State) -> dict[str, str]:
    qualifier = inputs.get("qualifier")
    return {"FunctionName": inputs["functionName"]} | ({"Qualifier": qualifier} if qualifier else {})


def _put(aws: Aws, inputs: State) -> Created:
    aws.client("lambda").put_function_event_invoke_config(**_named(inputs), **_event_config(inputs))
    qualifier = inputs.get("qualifier")
    return Created(f"{inputs['functionName']}:{qualifier}" if qualifier else inputs["functionName"])


def _event_address(id: str) -> State:
    """An id is a function's name or ARN; a qualifier, if any, follows the last colon."""
    parts = id.split(":")
    plain = 7 if id.startswith("arn:") else 1
    if len(parts) == plain + 1:
        return {"functionName": ":".join(parts[:-1]), "qualifier": parts[-1]}
    return {"functionName": id}


def _read_event(aws: Aws, id: str, prior: State) -> State | None:
    address = _event_address(id)
    held = aws.client("lambda").get_function_event_invoke_config(**_named(address))
    destinations = held.get("DestinationConfig") or {}
    seen = {
        key[0].lower() + key[1:]: {"destination": to["Destination"]}
        for key, to in destinations.items()
        if to and to.get("Destination")
    }
    return address | {
        "maximumRetryAttempts": held.get("MaximumRetryAttempts", 2),
        "maximumEventAgeInSeconds": _age(held.get("MaximumEventAgeInSeconds"), prior),
        "destinationConfig": seen,
    }


def _age(held: int | None, prior: State) -> int | None:
    """Without a setting AWS uses six hours; that default is then not an input."""
    return None if held == _LONGEST_AGE and "maximumEventAgeInSeconds" not in prior else held


def _update_event(aws: Aws, change: Change) -> State:
    _put(aws, change.new)
    return {}


def _delete_event(aws: Aws, id: str, _state: State) -> None:
    aws.client("lambda").delete_function_event_invoke_config(**_named(_event_address(id)))


def _destination(which: str) -> Property:
    name = f"FunctionEventInvokeConfigDestinationConfig{which}"
    token = f"aws:lambda/{name}:{name}"
    return Property(ObjectOf(token, {"destination": Property(Scalar.STRING, required=True, rule=is_arn)}))


_replaces = Property(Scalar.STRING, replaces=True)
_needed = Property(Scalar.STRING, required=True, replaces=True)

RESOURCES = (
    Resource(
        type="aws:lambda/permission:Permission",
        inputs={
            "action": _needed,
            "function": _needed,
            "principal": _needed,
            "sourceAccount": Property(
                Scalar.STRING, replaces=True, rule=matches(r"\d{12}", "an account id of 12 digits")
            ),
            "sourceArn": Property(Scalar.STRING, replaces=True, rule=is_arn),
            "functionUrlAuthType": Property(Scalar.STRING, replaces=True, rule=one_of(("AWS_IAM", "NONE"))),
            "invokedViaFunctionUrl": Property(Scalar.BOOLEAN, replaces=True),
            "qualifier": _replaces,
            "statementId": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-zA-Z0-9_-]{1,100}", "a statement id: up to 100 of a-z A-Z 0-9 _ -"),
            ),
        },
        outputs={},
        fixed={"statementIdPrefix": ""},
        conflicts=_through_a_url,
        create=_add,
        read=_read,
        delete=_remove,
        autoname=AutoName(property="statementId", longest=100),
    ),
    Resource(
        type="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        inputs={
            "functionName": _needed,
            "qualifier": _replaces,
            "maximumRetryAttempts": Property(Scalar.INTEGER, default=2, rule=between(0, 2)),
            "maximumEventAgeInSeconds": Property(Scalar.INTEGER, rule=between(60, _LONGEST_AGE)),
            "destinationConfig": Property(
                ObjectOf(
                    "aws:lambda/FunctionEventInvokeConfigDestinationConfig:FunctionEventInvokeConfigDestinationConfig",
                    {"onFailure": _destination("OnFailure"), "onSuccess": _destination("OnSuccess")},
                )
            ),
        },
        outputs={},
        create=_put,
        read=_read_event,
        update=_update_event,
        delete=_delete_event,
    ),
)
