"""Collects every text that the product writes, for the leak search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.leaks import Leak, Text, files, prove_search, search
from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene
from myflux_keys.cell_functions import ALL_FUNCTIONS, CONNECT, PROMOTER, PROVISIONER, ROTATION, SWEEP
from ops.cli.options import ROOT
from ops.stacks.git import git


def no_key_leaked(scene: Scene, report: Report) -> str:
    minted = {key.id: key.value for key in scene.cell.openai.minted()}
    if len(minted) <= len(scene.managed):
        raise CheckFailed(f"only {len(minted)} keys were ever minted: there is nothing to search for")
    prove_search(scene.home)
    read = {"places": 0, "bytes": 0}

    def counted() -> Iterator[Text]:
        for text in _everything(scene):
            read["places"] += 1
            read["bytes"] += len(text.content)
            yield text

    leaks = list(search(counted(), minted))
    report.figures["keys_ever_minted"] = len(minted)
    report.figures["places_searched"] = read["places"]
    report.figures["bytes_searched"] = read["bytes"]
    if leaks:
        raise CheckFailed("; ".join(_named(leak) for leak in leaks[:5]))
    return (
        f"{len(minted)} keys searched for in {read['places']} places ({read['bytes'] / 1e6:.1f} MB), none found: "
        "state, events, output, function logs, the page's traffic, CloudTrail, environments, objects, working tree"
    )


def _named(leak: Leak) -> str:
    return f"key {leak.key_id} was found in {leak.where} ({leak.encoding})"


def _everything(scene: Scene) -> Iterator[Text]:
    for stack in [CELL, *scene.stacks]:
        yield Text(f"state of {stack}", scene.engine.export(stack).encode())
    yield from files(sorted(scene.home.rglob("*")))
    yield from files(_working_tree())
    yield from _function_logs(scene)
    yield from _trail(scene)
    yield from _environments(scene)
    yield from _dead_letters(scene)
    yield from _objects(scene)


def _working_tree() -> Iterator[Path]:
    """The files that git has or would add, and the engine's files, which git ignores."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if listed.returncode == 0:
        yield from (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    else:
        # A source archive without git: everything but what others put there.
        yield from (p for p in ROOT.rglob("*") if ".venv" not in p.parts and ".local" not in p.parts)
    for ignored in (".stacks", ".build"):
        yield from (ROOT / ignored).rglob("*")


def _function_logs(scene: Scene) -> Iterator[Text]:
    logs = scene.client("administrator", "logs")
    for one in ALL_FUNCTIONS:
        group = scene.names.log_group(scene.names.function(one))
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        if not lines and one in (ROTATION, PROVISIONER, SWEEP, CONNECT, PROMOTER):
            raise CheckFailed(f"{group} is empty: the functions ran and must have written something")
        yield Text(f"log group {group}", "\n".join(lines).encode())


def _trail(scene: Scene) -> Iterator[Text]:
    trail = scene.client("administrator", "cloudtrail")
    events: list[Any] = []
    for page in trail.get_paginator("lookup_events").paginate():
        events += page["Events"]
    if not events:
        raise CheckFailed("CloudTrail recorded nothing")
    yield Text("CloudTrail", json.dumps(events, default=str).encode())


def _environments(scene: Scene) -> Iterator[Text]:
    functions = scene.client("administrator", "lambda")
    for function in map(scene.names.function, ALL_FUNCTIONS):
        configuration = functions.get_function_configuration(FunctionName=function)
        yield Text(f"configuration of {function}", json.dumps(configuration, default=str).encode())


def _dead_letters(scene: Scene) -> Iterator[Text]:
    queues = scene.client("administrator", "sqs")
    url = queues.get_queue_url(QueueName=scene.names.dead_letter_queue)["QueueUrl"]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    yield Text("dead letters", json.dumps(messages, default=str).encode())


def _objects(scene: Scene) -> Iterator[Text]:
    """Declarations, what the health function remembers, and what the connect page wrote, as a deployer may read them.
    No key is on its way at the intake, whose ciphertexts the promoter deletes."""
    s3 = scene.client("deployer", "s3")
    for bucket in (scene.names.health_bucket, scene.names.connect_bucket):
        for listed in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            key = listed.get("Key", "")
            yield Text(f"object {key}", s3.get_object(Bucket=bucket, Key=key)["Body"].read())
