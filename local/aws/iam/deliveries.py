"""Delivery by a service to a function, topic or queue: the target's policy must allow it.

Owns EventBridge's rules and CloudWatch's alarms, which MiniStack delivers without a check. Leaves out targets with a
role of their own, and SNS's and S3's deliveries, which MiniStack checks.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region

from local.aws.iam.authorize import authorize_service
from local.aws.iam.patching import replace

_EVENTS: Final = "events.amazonaws.com"
_logger = logging.getLogger(__name__)

_rule: ContextVar[str | None] = ContextVar("myflux_rule", default=None)
"""The ARN of the rule whose target is being served, or None where the target has a role of its own."""


def install() -> None:
    events = "ministack.services.eventbridge"
    replace(events, "_invoke_target", "target, event, rule, view", _of_rule)
    replace(events, "_dispatch_to_lambda", "arn, payload", _if_allowed("lambda:InvokeFunction"))
    replace(events, "_dispatch_to_sns", "arn, payload", _if_allowed("sns:Publish"))
    replace(events, "_dispatch_to_sqs", "spec, payload, sqs_parameters", _if_allowed("sqs:SendMessage"))
    replace(
        "ministack.services.cloudwatch",
        "_dispatch_alarm_actions",
        "alarm, old_state, new_state, reason",
        _allowed_actions,
    )


def _of_rule(original: Callable[..., Any]) -> Callable[..., Any]:
    def _invoke_target(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
        bus = rule.get("EventBusName") or "default"
        path = rule["Name"] if bus == "default" else f"{bus.rpartition('/')[2]}/{rule['Name']}"
        arn = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{path}"
        token = _rule.set(None if target.get("RoleArn") else arn)
        try:
            return original(target, event, rule, view)
        finally:
            _rule.reset(token)

    return _invoke_target


def _if_allowed(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def dispatch(to: Any, payload: Any, *rest: Any, **named: Any) -> Any:
            rule = _rule.get()
            if rule is not None and not authorize_service(_EVENTS, action, str(to), extra=_source(rule)):
                _logger.warning("%s may not %s on %s: its policy does not allow events.amazonaws.com", rule, action, to)
                return None
            return original(to, payload, *rest, **named)

        return dispatch

    return make


def _allowed_actions(original: Callable[..., Any]) -> Callable[..., Any]:
    def _dispatch_alarm_actions(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> Any:
        # A topic's default policy has a condition on AWS:SourceOwner.
        source = {**_source(alarm.get("AlarmArn", "")), "aws:SourceOwner": get_account_id()}

        def kept(arns: list[str]) -> list[str]:
            return [arn for arn in arns if ":sns:" not in arn or _may_publish(arn, source)]

        narrowed = {k: kept(v) if k.endswith("Actions") and isinstance(v, list) else v for k, v in alarm.items()}
        return original(narrowed, old_state, new_state, reason)

    return _dispatch_alarm_actions


def _may_publish(topic: str, source: dict[str, str]) -> bool:
    return authorize_service("cloudwatch.amazonaws.com", "sns:Publish", topic, extra=source)


def _source(arn: str) -> dict[str, str]:
    return {"aws:SourceArn": arn, "aws:SourceAccount": get_account_id()}
