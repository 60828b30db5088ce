"""Drives a rotation: four calls of the function, repeated as a whole until they succeed or AWS would give up.

A call that Lambda throttles is no failure: it waits for a free execution, as in Lambda's queue of asynchronous events.
AWS does not say how Secrets Manager itself waits; Lambda's pauses grow from one second to five minutes.

Owns the running rotations. Leaves out when one starts (`rotate_calls`, `scheduler`) and the call (`invocation`).
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass, field

from ministack.core.concurrency import spawn_background

from local.aws.secrets import events, invocation, labels, plan, settings
from local.aws.secrets.invocation import StepFailed, Throttled
from local.aws.secrets.labels import PENDING
from local.aws.secrets.store import LOCK, Record, acting_for, all_secrets, changed_by_itself, now, still_there, touch

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0
"""Between two calls of a throttled function. Shorter than AWS's, since somebody waits for the local cell."""
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")

_log = logging.getLogger("local.aws.secrets")


@dataclass(frozen=True)
class Run:
    """One rotation under way. `token` is its ClientRequestToken and the id of the version that it makes."""

    secret: Record
    token: str
    function_arn: str
    rotation_token: str
    scheduled: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        return self.stopped.is_set() or not still_there(self.secret)


_UNDER_WAY = "_UnderWay"
"""What a record has of its rotation: a cell that is kept, and killed, goes on with it."""

_runs: dict[str, Run] = {}
"""By secret ARN: a secret has one rotation at a time. Changed under LOCK."""


def running(secret: Record) -> Run | None:
    return _runs.get(secret["ARN"])


def under_way() -> int:
    """How many rotations run."""
    with LOCK:
        return len(_runs)


def stop(secret: Record) -> None:
    """Makes no further call for the secret's rotation. A running call ends by itself; labels do not change."""
    with LOCK:
        run = _runs.pop(secret["ARN"], None)
        secret.pop(_UNDER_WAY, None)
        if run is not None:
            run.stopped.set()


def start(secret: Record, token: str, *, scheduled: bool = False) -> None:
    """Begins a rotation, or continues the one that left AWSPENDING on `token`, and returns at once.

    The placeholder is a version without a value, labelled AWSPENDING, made before the function is first called.
    """
    with LOCK:
        _placeholder(secret, token)
        touch(secret)
        run = _new_run(secret, token, scheduled=scheduled)
    spawn_background(_rotate, run, thread_name="secrets-rotation")


def start_test(secret: Record, token: str) -> None:
    """Tries the configuration (RotateImmediately=false): testSecret alone, on a version that is then removed.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html#API_RotateSecret_RequestSyntax
    """
    with LOCK:
        before = labels.holder(secret, PENDING)
        _placeholder(secret, token)
        run = _new_run(secret, token, test=True, before=before)
    spawn_background(_test, run, before, thread_name="secrets-rotation-test")


def resume() -> None:
    """Takes up each rotation that was under way when the cell was stopped or killed, from its first step, as AWS does
    after a failed one: every step of a function can be run again."""
    for secret in all_secrets():
        left = secret.get(_UNDER_WAY)
        if left is None or secret.get("_PrimarySecretArn"):  # a replica is a copy, and is not rotated
            continue
        with LOCK, acting_for(secret):
            run = _new_run(secret, **left)
        if left["test"]:
            spawn_background(_test, run, left["before"], thread_name="secrets-rotation-test")
        else:
            spawn_background(_rotate, run, thread_name="secrets-rotation")


def _new_run(
    secret: Record, token: str, *, scheduled: bool = False, test: bool = False, before: str | None = None
) -> Run:
    run = Run(secret, token, secret["RotationLambdaARN"], str(uuid.uuid4()), scheduled)
    secret["_RotationToken"] = run.rotation_token
    secret[_UNDER_WAY] = {"token": token, "scheduled": scheduled, "test": test, "before": before}
    _runs[secret["ARN"]] = run
    return run


def _placeholder(secret: Record, token: str) -> None:
    secret["Versions"].setdefault(
        token, {"SecretString": None, "SecretBinary": None, "CreatedDate": now(), "Stages": [], "KeyArn": None}
    )
    labels.attach(secret, PENDING, token)


def _rotate(run: Run) -> None:
    secret = run.secret
    with acting_for(secret):
        changed_by_itself()
        events.publish(secret, events.ROTATION_STARTED, run.token)
        error = _attempts(run)
        with LOCK:
            # A stopped run reports nothing: the function that stopped it already did.
            if run.is_over() or _runs.pop(secret["ARN"], None) is not run:
                return
            del secret[_UNDER_WAY]
            if error is None:
                plan.succeeded(secret, now(), scheduled=run.scheduled)
                touch(secret)
            else:
                plan.failed(secret, now())
        changed_by_itself()
        _log.info("rotation of %s: %s", secret["Name"], error or "succeeded")
        events.publish(secret, events.ROTATION_FAILED if error else events.ROTATION_SUCCEEDED, run.token, error)


def _attempts(run: Run) -> str | None:
    """None after a success, else why the last attempt failed."""
    error = None
    for attempt in range(settings.rotation_attempts()):
        if attempt and run.stopped.wait(settings.rotation_retry_seconds()):
            break
        try:
            _attempt(run)
        except StepFailed as failure:
            error = str(failure)
        else:
            return None
        if run.is_over():
            break
    return error


def _attempt(run: Run) -> None:
    for step in STEPS:
        if run.is_over():
            raise StepFailed(f"The rotation was stopped before the {step} step")
        _call(run, step)
        if step == "createSecret":
            _require_value(run)
    if labels.rotation_is_pending(run.secret):
        raise StepFailed(f"The function {run.function_arn} ended with AWSPENDING on another version than AWSCURRENT")


def _call(run: Run, step: str) -> None:
    event = {"Step": step, "SecretId": run.secret["ARN"], "ClientRequestToken": run.token}
    if settings.rotation_token():
        event["RotationToken"] = run.rotation_token
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            invocation.invoke(run.secret, run.function_arn, step, event)
        except Throttled:
            if time.monotonic() > run.began + settings.throttled_seconds() or run.stopped.wait(pause):
                raise
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            return


def _require_value(run: Run) -> None:
    version = run.secret["Versions"].get(run.token)
    if version is None or not labels.has_value(version):
        raise StepFailed(
            f"Pending secret version {run.token} for Secret {run.secret['ARN']} was not created by Lambda "
            f"{run.function_arn}. Remove the AWSPENDING staging label and restart rotation."
        )


def _test(run: Run, before: str | None) -> None:
    secret = run.secret
    with acting_for(secret):
        error = None
        try:
            _call(run, "testSecret")
        except StepFailed as failure:
            error = str(failure)
        with LOCK:
            secret["Versions"].pop(run.token, None)
            if before is not None and before in secret["Versions"] and labels.holder(secret, PENDING) is None:
                labels.attach(secret, PENDING, before)
            if run.is_over() or _runs.pop(secret["ARN"], None) is not run:
                return
            del secret[_UNDER_WAY]
            touch(secret)
        changed_by_itself()
        if error is not None:
            events.publish(secret, events.TEST_ROTATION_FAILED, run.token, error)
