"""What both rotation functions share: reading the event, the steps' names, moving AWSCURRENT, one log line.

Also turns a failure into an error that is safe to show. Leaves out how a key is made, proven and ended.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, ClassVar, Final

from functions.shared import log
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.environment import Environment, read_environment
from functions.shared.rotation_guard import Refused, check_version
from functions.shared.secrets_manager import CURRENT, SecretState, SecretStore

Outcome = dict[str, Any]
"""Fields of the step's log line: ids, counts and words."""


class RotationFailed(Exception):
    """A failure as Lambda and Secrets Manager see it: its text is redacted, and it has no cause."""


@dataclass(frozen=True)
class StepCall:
    """An event: one step for the version `version_id` (the ClientRequestToken) of the secret `secret_id` (its ARN)."""

    step: str
    secret_id: str
    version_id: str
    rotation_token: str | None


class RotationSteps(ABC):
    """One rotation of one secret to one version. Each step is safe to repeat after a crash between any two calls."""

    TURN_ON: ClassVar[str]
    """What an operator does if the secret's rotation is off; ends an error's sentence."""

    def __init__(self, call: StepCall, store: SecretStore) -> None:
        self._version = call.version_id
        self._rotation_token = call.rotation_token
        self._store = store

    @abstractmethod
    def create(self) -> Outcome: ...

    def set(self) -> Outcome:
        """setSecret: OpenAI knows the key since it was minted, so there is nothing to set."""
        self._checked_state()
        return {"outcome": "nothing_to_set"}

    @abstractmethod
    def test(self) -> Outcome: ...

    @abstractmethod
    def finish(self) -> Outcome: ...

    def _checked_state(self) -> SecretState:
        """Raises Refused if this rotation is off or over."""
        state = self._store.describe()
        check_version(state, self._version, turn_on=self.TURN_ON, has_value=self._has_value)
        return state

    def _has_value(self, version_id: str) -> bool:
        return self._store.value(version_id) is not None

    def _promote(self, state: SecretState) -> Outcome:
        """Moves AWSCURRENT to this version, if it is not there."""
        held_by = state.version_with(CURRENT)
        if held_by == self._version:
            return {"outcome": "already_current"}
        self._store.make_current(self._version, held_by)
        return {"outcome": "promoted", "replaced": held_by}


STEPS: Final[Mapping[str, Callable[[RotationSteps], Outcome]]] = {
    spelling: methodcaller(step)
    for step in ("create", "set", "test", "finish")
    for spelling in (f"{step}Secret", f"{step}_secret")
}
"""AWS's pages spell the steps both ways."""


def read_call(event: Mapping[str, Any], *, called_by: str) -> StepCall:
    """`event` has Step, SecretId, ClientRequestToken and sometimes RotationToken. `called_by` completes the error's
    sentence "the event has no FIELD: ...". Raises Refused."""
    step, secret_id, version_id = (
        _required(event, name, called_by) for name in ("Step", "SecretId", "ClientRequestToken")
    )
    if step not in STEPS:
        raise Refused(f"{step} is no step of a rotation: createSecret, setSecret, testSecret, finishSecret")
    rotation_token: Any = event.get("RotationToken")
    usable = isinstance(rotation_token, str) and rotation_token
    return StepCall(step, secret_id, version_id, rotation_token if usable else None)


def _required(event: Mapping[str, Any], name: str, called_by: str) -> str:
    value: Any = event.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"the event has no {name}: {called_by}")
    return value


def invoke(
    function: str,
    event: Mapping[str, Any],
    context: LambdaContext,
    work: Callable[[Environment, Deadline], Outcome],
) -> None:
    """Does `work` and logs ``<function>.step``, or ``<function>.failed`` and raises RotationFailed."""
    log.configure()
    deadline = Deadline.of(context)
    began = deadline.now()
    fields: dict[str, Any] = {"step": str(event.get("Step") or event.get("action"))}
    if "ClientRequestToken" in event:
        fields |= {"version": str(event["ClientRequestToken"])}
    try:
        environment = read_environment(os.environ)
        fields |= {"cell": environment.cell}
        outcome = work(environment, deadline)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        seconds = round(deadline.now() - began, 3)
        log.line(f"{function}.failed", level=logging.ERROR, **fields, error=text, seconds=seconds)
        raise RotationFailed(text) from None
    log.line(f"{function}.step", **fields, **outcome, seconds=round(deadline.now() - began, 3))
