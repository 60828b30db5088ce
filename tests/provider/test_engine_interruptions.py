"""Updates under the real engine that fail or are cut off: what is said, what stays, and how it goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.provider.harness import Stack
from tests.provider.programs import write_function

pytestmark = pytest.mark.engine

FUNCTION = """
role = aws.iam.Role("role", force_detach_policies=True, assume_role_policy=json.dumps({"Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
f = aws.lambda_.Function("f", role=role.arn, runtime="python3.12", handler="h.handler", timeout=30,
    code=pulumi.FileArchive("f.zip"))
"""


def test_a_failing_function_fails_the_update_with_its_reason(stack: Stack) -> None:
    write_function(stack)
    program = (
        FUNCTION
        + """
import os
boom = os.environ.get("BOOM") == "1"
aws.lambda_.Invocation("call", function_name=f.name, lifecycle_scope="CRUD", input=json.dumps({"boom": boom}))
"""
    )
    stack.program(program)
    failed = stack.up(fails=True, BOOM="1")
    assert "the reason for a person" in failed
    assert "call" not in stack.state(), "a call that failed has made nothing"
    stack.up()
    assert "the reason for a person" in stack.up(fails=True, BOOM="1")
    assert stack.state()["call"]["outputs"]["input"] == '{"boom": false}', "state keeps the last call that worked"
    stack.up()
    stack.run("destroy", "--yes")


def test_an_up_that_is_killed_leaves_no_provider_and_can_be_taken_up_again(stack: Stack) -> None:
    write_function(stack)
    program = (
        FUNCTION
        + """
import os
aws.sqs.Queue("before", name="before-the-cut")
aws.lambda_.Invocation("call", function_name=f.name, input=json.dumps({"sleep": int(os.environ.get("SLEEP", "0"))}))
"""
    )
    stack.program(program)
    process = stack.start("up", "--yes", "--skip-preview", SLEEP="20")
    assert process.stdout is not None
    for line in process.stdout:
        if "aws:lambda:Invocation call creating" in line:
            break
    until(lambda: "pending_operations" in checkpoint(stack), "the engine to write down that the step is under way")
    providers = children(process.pid, "local.provider")
    assert providers, "the engine runs the provider as its child"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: not any(running(pid) for pid in providers), "the provider to end with its engine")

    stack.run("cancel", "--yes")
    assert "pending_operations" in stack.run("stack", "export"), "the state says that a create was under way"
    stack.run("refresh", "--yes", "--clear-pending-creates")
    stack.up()
    assert {"before", "role", "f", "call"} <= stack.state().keys()
    stack.run("destroy", "--yes")


def until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up, f"waited in vain for {what}"
        time.sleep(0.05)


def checkpoint(stack: Stack) -> str:
    """The stack's state as it lies on disk: to ask the engine for it would wait for the update's lock."""
    (state,) = (stack.folder.parent / "state").rglob("dev.json")
    return state.read_text(encoding="utf-8")


def children(parent: int, text: str) -> list[int]:
    """Processes below `parent` whose command line holds `text`."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
                above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if text in command and above == parent:
                found.append(int(entry.name))
    return found


def running(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
