"""EventBridge rules and their targets, on the default bus or a named one.

Ids are the official plugin's: a rule's name, or ``bus/name`` on a bus other than the default; a target's
``rule-target``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws, Refused
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import is_arn, is_json, matches, one_of
from local.provider.services.tags import mapped, pairs

_DEFAULT = "default"
_STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


def _put(aws: Aws, inputs: State, tags: Mapping[str, str]) -> None:
    optional = {
        "description": "Description",
        "eventPattern": "EventPattern",
        "scheduleExpression": "ScheduleExpression",
    }
    aws.client("events").put_rule(
        Name=inputs["name"],
        EventBusName=inputs["eventBusName"],
        State=inputs["state"],
        **{theirs: inputs[ours] for ours, theirs in optional.items() if inputs.get(ours)},
        **({"Tags": pairs(tags)} if tags else {}),
    )


def _create(aws: Aws, inputs: State) -> Created:
    _put(aws, inputs, inputs.get("tags") or {})
    bus = inputs["eventBusName"]
    return Created(inputs["name"] if bus == _DEFAULT else f"{bus}/{inputs['name']}")


def _address(id: str) -> tuple[str, str]:
    """(bus, rule) of a rule's id."""
    bus, slash, name = id.rpartition("/")
    return (bus, name) if slash else (_DEFAULT, name)


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    events = aws.client("events")
    bus, name = _address(id)
    rule = events.describe_rule(Name=name, EventBusName=bus)
    return {
        "name": rule["Name"],
        "arn": rule["Arn"],
        "eventBusName": rule.get("EventBusName") or bus,
        "description": rule.get("Description", ""),
        "eventPattern": rule.get("EventPattern", ""),
        "scheduleExpression": rule.get("ScheduleExpression", ""),
        "state": rule["State"],
        "isEnabled": rule["State"] != "DISABLED",
        "tags": mapped(events.list_tags_for_resource(ResourceARN=rule["Arn"]).get("Tags")),
    }


def _update(aws: Aws, change: Change) -> State:
    _put(aws, change.new, {})
    return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    bus, name = _address(id)
    aws.client("events").delete_rule(Name=name, EventBusName=bus, Force=bool(state.get("forceDestroy")))


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    events = aws.client("events")
    arn = f"arn:{aws.partition}:events:{aws.region}:{aws.account_id}:rule/{id}"
    if remove:
        events.untag_resource(ResourceARN=arn, TagKeys=list(remove))
    if add:
        events.tag_resource(ResourceARN=arn, Tags=pairs(add))


def _conflicts(inputs: State) -> list[tuple[str, str]]:
    if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
        return [("eventPattern", "one of eventPattern and scheduleExpression must be given")]
    return []


def _put_target(aws: Aws, target_id: str, inputs: State) -> None:
    target: dict[str, Any] = {"Id": target_id, "Arn": inputs["arn"]}
    target |= {"Input": inputs["input"]} if inputs.get("input") else {}
    answer = aws.client("events").put_targets(
        Rule=inputs["rule"], EventBusName=inputs["eventBusName"], Targets=[target]
    )
    _complain(answer, "put target")


def _complain(answer: Mapping[str, Any], what: str) -> None:
    """Raises for an entry that EventBridge refused: it returns 200 and lists the failed entries."""
    for entry in answer.get("FailedEntries") or ():
        raise Refused(f"{what} {entry.get('TargetId')}: {entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")


def _create_target(aws: Aws, inputs: State) -> Created:
    # The id depends only on the target, so that a repeated create does not make a second one.
    digest = hashlib.sha256(f"{inputs['rule']} {inputs['arn']}".encode()).hexdigest()[:26]
    target_id = inputs.get("targetId") or f"terraform-{digest}"
    _put_target(aws, target_id, inputs)
    bus = inputs["eventBusName"]
    prefix = "" if bus == _DEFAULT else f"{bus}-"
    return Created(f"{prefix}{inputs['rule']}-{target_id}", {"targetId": target_id})


def _target_address(id: str, prior: State) -> tuple[str, str, str]:
    """(bus, rule, target). An import gives ``rule/target`` or ``bus/rule/target``."""
    if prior.get("rule"):
        return prior["eventBusName"], prior["rule"], prior["targetId"]
    parts = id.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise Refused(f"{id!r} is not the id of a target: rule/target-id or bus/rule/target-id")
    bus, rule, target = parts if len(parts) == 3 else (_DEFAULT, *parts)
    return bus, rule, target


def _read_target(aws: Aws, id: str, prior: State) -> State | None:
    bus, rule, target_id = _target_address(id, prior)
    pages = aws.client("events").get_paginator("list_targets_by_rule").paginate(Rule=rule, EventBusName=bus)
    target = next((each for page in pages for each in page["Targets"] if each["Id"] == target_id), None)
    if target is None:
        return None
    prefix = "" if bus == _DEFAULT else f"{bus}-"
    return {
        "id": f"{prefix}{rule}-{target_id}",
        "eventBusName": bus,
        "rule": rule,
        "targetId": target_id,
        "arn": target["Arn"],
        "input": target.get("Input", ""),
    }


def _update_target(aws: Aws, change: Change) -> State:
    _put_target(aws, change.old["targetId"], change.new)
    return {"targetId": change.old["targetId"]}


def _delete_target(aws: Aws, _id: str, state: State) -> None:
    answer = aws.client("events").remove_targets(
        Rule=state["rule"],
        EventBusName=state["eventBusName"],
        Ids=[state["targetId"]],
        Force=bool(state.get("forceDestroy")),
    )
    _complain(answer, "remove target")


_force = Property(Scalar.BOOLEAN, default=False, read_back=False)
_bus = Property(Scalar.STRING, default=_DEFAULT, replaces=True)

RESOURCES = (
    Resource(
        type="aws:cloudwatch/eventRule:EventRule",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[A-Za-z0-9._-]{1,64}", "a rule's name: up to 64 of A-Z a-z 0-9 . _ -"),
            ),
            "eventBusName": _bus,
            "description": Property(Scalar.STRING),
            "eventPattern": Property(Scalar.JSON),
            "scheduleExpression": Property(Scalar.STRING),
            "state": Property(Scalar.STRING, default="ENABLED", rule=one_of(_STATES)),
            "forceDestroy": _force,
        },
        outputs={"arn": Scalar.STRING, "isEnabled": Scalar.BOOLEAN},
        fixed={"namePrefix": ""},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=64),
        conflicts=_conflicts,
    ),
    Resource(
        type="aws:cloudwatch/eventTarget:EventTarget",
        inputs={
            "rule": Property(Scalar.STRING, required=True, replaces=True),
            "arn": Property(Scalar.STRING, required=True, rule=is_arn),
            "targetId": Property(Scalar.STRING, replaces=True, computed=True),
            "eventBusName": _bus,
            "input": Property(Scalar.STRING, rule=is_json),
            "forceDestroy": _force,
        },
        outputs={},
        create=_create_target,
        read=_read_target,
        update=_update_target,
        delete=_delete_target,
    ),
)
