"""No key stands in anything that the product writes, with every switch that makes it say more turned on.

Each command runs with the root logger at its lowest level, Pulumi with all its logs; calls are made to fail; alarms
ring and a letter dies. Then every key that was ever minted is sought, in every encoding, in all that came of it. What a
function says when a call fails, at each call, is for `tests/functions/test_functions_log.py`. Runs after the commands'
own tests, by its name: it leaves the cell with other keys.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
import typer.main

from demo.leaks import Text, files, prove_search, search
from local.cell import LocalCell
from ops.cli.main import app
from tests.actions.conftest import ROOT, Operated

pytestmark = [pytest.mark.engine, pytest.mark.cell]

LOUD = """
import logging, sys
from ops.stacks import processes
loud = "import logging, sys; logging.basicConfig(level=1, stream=sys.stderr); "
processes._SERVE = loud + processes._SERVE
exec(loud)
from ops.cli.main import main
main()
"""
"""The command's process and those of its workers."""
CARELESS = """
import ops.actions.admin_key
def store(cell, key, *rest):
    raise RuntimeError("no line of mine expected this: " + key.reveal())
ops.actions.admin_key.store = store
"""
"""An error in our own code that quotes the key: what an unforeseen traceback would hold."""

RUN: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("status",),
    ("rotate", "acme", "--wait", "--yes", "--reason", "canary"),
    ("sweep", "--governance"),
    ("revoke", "fjord", "--dry-run"),
    ("revoke", "fjord", "--yes"),
    ("disable", "acme"),
    ("enable", "acme"),
    ("key", "status"),
    ("admin-key", "rotate", "--cell", "local", "--wait"),
    ("history", "acme"),
    ("capacity",),
    ("usage", "--by", "key"),
    ("doctor", "local"),
    ("verify", "acme"),
    ("new", "zulu", "--from", "acme", "--name", "Zulu", "--dry-run"),
    ("preview", "acme"),
    ("up", "acme"),
    ("refresh", "acme"),
    ("destroy", "acme", "--dry-run"),
    ("offboard", "acme", "--dry-run"),
)
SILENT = {"validate", "new", "offboard", "refresh", "destroy"}
"""As they are called here these speak to nobody, or let the engine alone speak to AWS."""
STANDING = {"status", "verify"}
WITH_A_KEY = {("admin-key", "set"), ("key", "set")}
ELSEWHERE = {
    "demo": "its own check `no-key-leaked`",
    "check": "runs without any credential, and its tests look for the key that a branch holds",
    "adopt": "what it wrote is searched at the end of tests/tenants_life",
    "move": "what it wrote is searched at the end of tests/tenants_life",
    "credential": "what it wrote is searched at the end of tests/credential",
    "bootstrap": "runs before a cell has any key, and its test looks for its passphrase",
    "env": "prints what a cell's file says, and asks nobody",
    "connect": "needs a cell with its page, and tests/connect looks for the key in what it prints",
    "handover": "needs a second factor and a browser, and tests/handover looks for the key wherever it might stay",
    "models": "reads tenants' files and prices, and asks nobody",
    "estimate": "reads a tenant's file and prices, and asks nobody",
    "rename": "refuses before it reads anything",
    "local": "starts and stops servers; `local openai-admin-key` plays OpenAI's page, which shows a new key once",
}


@dataclass
class Written:
    """Everything that was written, and where."""

    operated: Operated
    texts: list[Text] = field(default_factory=list[Text])

    def add(self, where: str, content: str | bytes) -> None:
        self.texts.append(Text(where, content.encode() if isinstance(content, str) else content))

    def command(self, *arguments: str, stdin: str = "", before: str = "", fails: bool | None = False) -> str:
        """`fails` None: its exit code says how the cell stands, which is no matter here."""
        done = subprocess.run(
            [sys.executable, "-c", before + LOUD, *arguments],
            cwd=ROOT,
            env=dict(self.operated.environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert fails is None or (done.returncode != 0) == fails, f"{arguments}: {done.stdout}{done.stderr[-3000:]}"
        told = done.stdout + done.stderr
        self.add(f"output of {' '.join(arguments)}", told)
        return told

    def ask(self, service: str, operation: str, /, *, who: str = "administrator", **arguments: Any) -> Any:
        client = self.operated.cell.client(who, service)
        try:
            if client.can_paginate(operation):
                return list(client.get_paginator(operation).paginate(**arguments))
            return getattr(client, operation)(**arguments)
        finally:
            client.close()

    def add_answer(self, service: str, operation: str, **arguments: Any) -> str:
        text = json.dumps(self.ask(service, operation, **arguments), default=str)
        self.add(f"{service}:{operation} {json.dumps(arguments)}", text)
        return text


def test_no_key_ever_minted_stands_in_anything_that_the_product_writes(operated: Operated, tmp_path: Path) -> None:
    written, control = Written(operated), operated.cell.openai
    queue = _listening_to_alarms(written)
    operated.up("initech.local")
    for command in RUN:
        told = written.command(*command, fails=None if command[0] in STANDING else False)
        assert "DEBUG:" in told or command[0] in SILENT, "the libraries below spoke as loudly as they can"
    admin = control.create_admin_key("canary")
    own = _customers_key(operated.cell, admin)
    written.command("key", "set", "initech", stdin=own + "\n")
    written.command("admin-key", "set", "--cell", "local", stdin=admin + "\n")
    broken = written.command("admin-key", "set", "--cell", "local", stdin=admin + "\n", before=CARELESS, fails=True)
    assert "RuntimeError: no line of mine expected this: [redacted]" in broken, "the traceback stays, the key goes"

    _fail_at_each_step(written)
    _loudest_pulumi(written, tmp_path)
    _ring_every_alarm(written, queue)
    _kill_a_letter(written)
    _gather(written, tmp_path)

    minted = {key.id: key.value for key in control.minted()} | {"canary's admin key": admin, "customer's": own}
    assert len(minted) > 10, "there is something to look for"
    prove_search(tmp_path)
    leaks = [f"{leak.key_id} in {leak.where}, {leak.encoding}" for leak in search(written.texts, minted)]
    assert leaks == []


def test_every_command_was_among_those() -> None:
    leaves = set(_leaves(typer.main.get_command(app), ()))
    run = {leaf for leaf in leaves for command in RUN if command[: len(leaf)] == leaf} | (WITH_A_KEY & leaves)
    left = sorted(" ".join(leaf) for leaf in leaves - run if leaf[0] not in ELSEWHERE)
    assert not left, "a new command joins RUN, or ELSEWHERE with the reason"


def _leaves(command: Any, path: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    children = getattr(command, "commands", None)
    if not children:
        return [path]
    return [leaf for name, child in children.items() for leaf in _leaves(child, (*path, name))]


def _customers_key(cell: LocalCell, admin_key: str) -> str:
    """Of a project that is no tenant's, in the cell's own organization."""
    with openai.OpenAI(admin_api_key=admin_key, base_url=cell.openai_url, max_retries=0) as client:
        project = client.admin.organization.projects.create(name="a customer's").id
    return cell.openai.create_user_key(project, "the customer's", expires_in_seconds=86_400)


def _fail_at_each_step(written: Written) -> None:
    """Calls of each step go wrong, until AWS begins the rotation again; then one goes wrong for good."""
    control, mint = written.operated.cell.openai, r"service_accounts/[^/]+/api_keys$"
    for fault, method, path in (
        ("truncated", "POST", mint),
        ("500", "GET", "/models/"),
        ("dropped_after_apply", "POST", r"projects/[^/]+/api_keys/[^/]+$"),
    ):
        control.fault(fault, method=method, path=path, count=1)
    written.command("rotate", "acme", "--wait", "--yes")
    assert control.faults() == [], "each of them struck"
    control.fault("500", method="POST", path=mint, count=None)
    assert "RotationFailed" in written.command("rotate", "acme", "--wait", "--yes", fails=True)
    control.clear_faults()


def _loudest_pulumi(written: Written, folder: Path) -> None:
    """An update with every log that the engine has, and the states as they are stored and as they are decrypted."""
    operated, pulumi = written.operated, written.operated.pulumi
    loud = ("--logtostderr", "--logflow", "-v=11", "--debug", "--json")
    with (folder / "events.jsonl").open("wb") as events, (folder / "engine.log").open("wb") as log:
        done = subprocess.run(
            ["pulumi", "up", "--yes", "--refresh", "--stack", "acme.local", *loud],
            cwd=ROOT,
            env=dict(operated.environment),
            executable=shutil.which("pulumi", path=operated.environment["PATH"]),
            stdout=events,
            stderr=log,
            check=False,
        )
    assert done.returncode == 0, (folder / "engine.log").read_text(encoding="utf-8")[-3000:]
    assert b"resourcePreEvent" in (folder / "events.jsonl").read_bytes(), "the engine's event log"
    assert b"Marshaling" in (folder / "engine.log").read_bytes(), "the engine said all that it can"
    for stack in ("local", "acme.local", "fjord.local", "initech.local"):
        for how in ((), ("--show-secrets",)):
            exported = pulumi("stack", "export", "--stack", stack, *how)
            assert "urn:pulumi:" in exported
            written.add(f"state of {stack} {how}", exported)
        written.add(f"outputs of {stack}", pulumi("stack", "output", "--json", "--show-secrets", "--stack", stack))


def _listening_to_alarms(written: Written) -> str:
    """A queue that gets all that the cell's topic sends; its URL."""
    names = written.operated.names
    url = written.ask("sqs", "create_queue", QueueName="canary")["QueueUrl"]
    (topic,) = (
        topic["TopicArn"]
        for page in written.ask("sns", "list_topics")
        for topic in page["Topics"]
        if topic["TopicArn"].endswith(f":{names.alarm_topic}")
    )
    arn = topic.replace(":sns:", ":sqs:").replace(names.alarm_topic, "canary")
    from_topic = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_topic]})
    written.ask("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})
    written.ask("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def _ring_every_alarm(written: Written, queue: str) -> None:
    """Besides those that rang by themselves: the failed rotation's rule has sent its event already."""
    alarms = [alarm for page in written.ask("cloudwatch", "describe_alarms") for alarm in page["MetricAlarms"]]
    assert len(alarms) > 10, "the cell's alarms are there"
    for alarm in alarms:
        written.ask(
            "cloudwatch", "set_alarm_state", AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="canary"
        )
    heard = _received(written, queue, lambda text: text.count("NewStateReason") >= len(alarms))
    assert "RotationFailed" in heard


def _kill_a_letter(written: Written) -> None:
    names = written.operated.names
    event = json.dumps({"action": "canary"}).encode()
    written.ask("lambda", "invoke", FunctionName=names.sweep_function, InvocationType="Event", Payload=event)
    url = written.ask("sqs", "get_queue_url", QueueName=names.dead_letter_queue)["QueueUrl"]
    assert "canary" in _received(written, url, lambda text: "canary" in text)


def _received(written: Written, url: str, enough: Callable[[str], bool]) -> str:
    """All that a queue gave until it was `enough`."""
    text, give_up = "", time.monotonic() + 120
    while not enough(text):
        assert time.monotonic() < give_up, f"waited in vain for {url}, which gave {text[-2000:]}"
        answer = written.ask(
            "sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        text += json.dumps(answer.get("Messages", []))
        time.sleep(0.1)
    written.add(f"messages of {url}", text)
    return text


def _gather(written: Written, folder: Path) -> None:
    """What AWS holds of it, and what lies on this disk."""
    operated = written.operated
    groups = [
        group["logGroupName"] for page in written.ask("logs", "describe_log_groups") for group in page["logGroups"]
    ]
    for name in (operated.names.rotation_function, operated.names.sweep_function, operated.names.provisioner_function):
        assert operated.names.log_group(name) in groups
    logs = [written.add_answer("logs", "filter_log_events", logGroupName=group) for group in groups]
    assert any("rotation.failed" in log for log in logs), "the forced failures are in the logs"
    assert "PutSecretValue" in written.add_answer("cloudtrail", "lookup_events")
    assert "SweepUnfinished" in written.add_answer("cloudwatch", "list_metrics")
    written.add_answer("cloudwatch", "describe_alarms")
    written.add_answer("cloudwatch", "describe_alarm_history")
    written.add_answer("lambda", "list_functions")
    assert operated.names.tenant("acme").secret in written.add_answer("secretsmanager", "list_secrets")
    for bucket in written.ask("s3", "list_buckets"):
        for name in (each["Name"] for each in bucket["Buckets"]):
            for page in written.ask("s3", "list_objects_v2", Bucket=name):
                for found in page.get("Contents", []):
                    # The bucket of declarations refuses an administrator.
                    answer = written.ask("s3", "get_object", who="deployer", Bucket=name, Key=found["Key"])
                    written.add(f"{name}/{found['Key']}", answer["Body"].read())
    folders = (folder, operated.cell.home, operated.state, operated.fleet, ROOT / ".build")
    for place in folders:
        written.texts += files(sorted(place.rglob("*")))
