"""A Lambda function invoked as part of a deployment.

With the scope CREATE_ONLY (the default) it is invoked once, when the resource is created. With CRUD it is also invoked
on every change and before the delete, and the event gets a key (`tf`, or `terraformKey`) with the action and the
previous input. Nothing is read back: the result is that of the last call. If the function is missing, the delete fails:
to skip the clean-up silently would leave what it should delete.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from local.provider.aws import Aws, Refused
from local.provider.model import Change, Created, MapOf, Property, Resource, Scalar, State
from local.provider.rules import is_json, one_of

SCOPES = ("CREATE_ONLY", "CRUD")


def event(inputs: State, action: str, previous: str | None) -> bytes:
    """The payload of one call. `previous` is the input of the call before, as JSON text."""
    if inputs["lifecycleScope"] == "CREATE_ONLY":
        return str(inputs["input"]).encode()
    content = json.loads(inputs["input"])
    content[inputs["terraformKey"]] = {"action": action, "prev_input": json.loads(previous) if previous else None}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _call(aws: Aws, inputs: State, payload: bytes) -> str:
    name = inputs["functionName"]
    answer = aws.client("lambda").invoke(
        FunctionName=name, InvocationType="RequestResponse", Payload=payload, Qualifier=inputs["qualifier"]
    )
    text: str = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise Refused(f"invoking Lambda Function ({name}): {_reason(text)}")
    return text


def _reason(text: str) -> str:
    """Type and message of a function's error. The traceback is only in the function's log."""
    try:
        content: Any = json.loads(text)
    except ValueError:
        return text
    if isinstance(content, dict) and "errorMessage" in content:
        return f"{content.get('errorType', 'error')}: {content['errorMessage']}"
    return text


def _create(aws: Aws, inputs: State) -> Created:
    payload = event(inputs, "create", None)
    result = _call(aws, inputs, payload)
    digest = hashlib.md5(payload, usedforsecurity=False).hexdigest()
    return Created(f"{inputs['functionName']},{inputs['qualifier']},{digest}", {"result": result})


def _read(_aws: Aws, _id: str, prior: State) -> State | None:
    if not prior.get("functionName"):
        raise Refused("an invocation can't be imported: AWS does not keep what a function was called with")
    return dict(prior)


def _update(aws: Aws, change: Change) -> State:
    return {"result": _call(aws, change.new, event(change.new, "update", change.old["input"]))}


def _delete(aws: Aws, _id: str, state: State) -> None:
    if state["lifecycleScope"] == "CRUD":
        _call(aws, state, event(state, "delete", state["input"]))


def _conflicts(inputs: State) -> list[tuple[str, str]]:
    text = inputs["input"]
    if inputs["lifecycleScope"] != "CRUD" or not isinstance(text, str) or isinstance(json.loads(text), dict):
        return []
    return [("input", 'lifecycleScope other than "CREATE_ONLY" requires input to be a JSON object')]


def _replaces_when(inputs: State, changed: frozenset[str]) -> frozenset[str]:
    return changed & {"input"} if inputs.get("lifecycleScope") == "CREATE_ONLY" else frozenset()


RESOURCES = (
    Resource(
        type="aws:lambda/invocation:Invocation",
        inputs={
            "functionName": Property(Scalar.STRING, required=True, replaces=True, read_back=False),
            "input": Property(Scalar.STRING, required=True, read_back=False, rule=is_json),
            "lifecycleScope": Property(Scalar.STRING, default="CREATE_ONLY", read_back=False, rule=one_of(SCOPES)),
            "qualifier": Property(Scalar.STRING, default="$LATEST", replaces=True, read_back=False),
            "terraformKey": Property(Scalar.STRING, default="tf", read_back=False),
            "triggers": Property(MapOf(Scalar.STRING), replaces=True, read_back=False),
        },
        outputs={"result": Scalar.STRING},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        conflicts=_conflicts,
        replaces_when=_replaces_when,
        volatile=lambda _inputs, changed: frozenset({"result"}) if changed else frozenset(),
        tolerates_absence=False,
    ),
)
