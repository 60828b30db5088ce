"""The check that the health function tells each trouble once, and its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from demo.report import CheckFailed, Report
from demo.rotating import await_quiet
from demo.scene import CELL, Scene, wait_until
from myflux_keys.cell_functions import HEALTH

_QUIET = 25 * 3600
"""Seconds. The function makes a call, by which it sees why calls fail, once a day and without traffic."""


def health_finds_trouble(scene: Scene, report: Report) -> str:
    """The balance gone for the whole cell, one tenant at its project's limit, and a model that OpenAI has retired."""
    control, limited = scene.cell.openai, scene.managed[0]
    retired, model = _only_user(scene)
    project = next(one.id for one in control.projects() if one.name == scene.names.tenant(limited).project)
    organization = scene.fleet.cells[CELL].openai.organization_id
    told = ["organization " + organization, "tenant " + limited, "tenant " + retired]
    # Nobody has handed over the key that an earlier check rotated, and nobody does before this one ends.
    waiting = ["tenant " + slug for slug in scene.managed if slug not in (limited, retired) and _by_hand(scene, slug)]
    with _unscheduled(scene), _inbox(scene) as inbox:
        scene.cell.advance(_QUIET)
        wait_until(lambda: _rotated(scene), "the rotations of a day")
        await_quiet(scene, *scene.managed)
        try:
            control.fault("project_limit", count=None, project_id=project)
            control.fault("balance_gone", count=None, organization_id=organization)
            control.settings(
                shutdown_dates={model: datetime.fromtimestamp(control.state()["now"], UTC).date().isoformat()}
            )
            first = _cycle(scene)
            _require_told(inbox, "Trouble", told + waiting)
            if _cycle(scene) and inbox():
                raise CheckFailed("a trouble that lasts was told twice")
        finally:
            control.clear_faults()
            control.settings(shutdown_dates={model: None})
        _cycle(scene)
        _require_told(inbox, "Over", told)
    report.figures["tenants_watched"] = first["watched"]
    report.figures["calls_of_a_health_cycle"] = sum(first["calls"].values())
    return f"balance, {limited}'s limit and the model {model}: three messages, three ends, none twice"


def _by_hand(scene: Scene, tenant: str) -> bool:
    """Whether a person pastes each new key of the tenant's."""
    return any(consumer.pasted for consumer in scene.fleet.tenants[tenant].consumers.used)


def _only_user(scene: Scene) -> tuple[str, str]:
    """A tenant and a model that no other one names, whose message is about that tenant alone."""
    named = Counter(model for tenant in scene.managed for model in scene.fleet.tenants[tenant].models)
    return next(
        (tenant, model)
        for tenant in scene.managed[1:]
        for model in scene.fleet.tenants[tenant].models
        if named[model] == 1
    )


@contextmanager
def _unscheduled(scene: Scene) -> Generator[None]:
    """Without the function's schedule, whose cycles would tell some of the troubles earlier."""
    events, rule = scene.client("administrator", "events"), scene.names.rule(HEALTH)
    events.disable_rule(Name=rule)
    try:
        yield
    finally:
        events.enable_rule(Name=rule)


def _rotated(scene: Scene) -> bool:
    """Whether no rotation is due: one that is late would be a trouble of its own."""
    now, secrets = scene.cell.openai.state()["now"], scene.client("deployer", "secretsmanager")
    described = [secrets.describe_secret(SecretId=scene.names.tenant(one).secret) for one in scene.managed]
    return all(one["NextRotationDate"].timestamp() > now for one in described)


def _cycle(scene: Scene) -> dict[str, Any]:
    """Calls the deployed function, as its schedule does. One that the schedule has begun ends first."""
    client, said = scene.client("administrator", "lambda"), dict[str, Any]()

    def ran() -> bool:
        answer = client.invoke(FunctionName=scene.names.function(HEALTH), Payload=b"{}")
        said.update(json.loads(answer["Payload"].read()))
        if answer.get("FunctionError") or said.get("failed"):
            raise CheckFailed(f"a cycle of the health function: {said}")
        return not said["skipped"]

    wait_until(ran, "a cycle of the health function")
    return said


@contextmanager
def _inbox(scene: Scene) -> Generator[Any]:
    """What the topic of the alarms delivers from now on, as a subscriber gets it. Nothing of it stays."""
    queues, topics = scene.client("administrator", "sqs"), scene.client("administrator", "sns")
    url = queues.create_queue(QueueName="demo-inbox")["QueueUrl"]
    try:
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        topic = scene.names.alarm_topic_arn
        subscribed = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)

        def received() -> list[str]:
            """The first lines of new messages, without those of CloudWatch's alarms, which are JSON."""
            got = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for one in got:
                queues.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            texts = [str(json.loads(one["Body"])["Message"]) for one in got]
            return [text.splitlines()[0] for text in texts if not text.startswith("{")]

        yield received
        topics.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    finally:
        queues.delete_queue(QueueUrl=url)


def _require_told(inbox: Any, event: str, whom: list[str]) -> None:
    """Exactly one message about each."""
    found: list[str] = []

    def enough() -> bool:
        # What an earlier cycle found may end in the first one here.
        found.extend(line for line in inbox() if line.startswith(event))
        return len(found) >= len(whom)

    wait_until(enough, f"messages about {whom}", seconds=20)
    enough()
    starts = sorted(f"{event}: {one}" for one in whom)
    if len(found) != len(whom) or not all(a.startswith(b) for a, b in zip(sorted(found), starts, strict=True)):
        raise CheckFailed(f"expected {starts}, and was told {sorted(found)}")
