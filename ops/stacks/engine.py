"""One operation on one stack, by Pulumi's own engine on the project on disk: the program that a person runs too.

Owns the Automation API. Leaves out which stacks and in which order (`order`). What the engine printed and each of its
events go to files, so that a failure can be read afterwards and a leak looked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import events

from tenancy.loading import FLEET

ROOT = Path(__file__).resolve().parents[2]

_DEPLOYMENT = 3
"""Version of the deployment's format, which `export` gives and `replace_state` takes."""
_STACK = "pulumi:pulumi:Stack"
_HIDDEN = "[secret]"
"""What the engine's events show in a secret's place."""


@dataclass(frozen=True)
class Outcome:
    """What one operation did. `changes` counts resources by what happened to them: ``create``, ``same``, …

    `outputs` are the stack's, as the engine's events tell them, without those that are secrets.
    """

    stack: str
    changes: dict[str, int]
    outputs: dict[str, Any]
    seconds: float

    @property
    def changed(self) -> int:
        return sum(count for kind, count in self.changes.items() if kind not in ("same", "read"))


class OperationFailed(Exception):
    """The engine gave up on a stack. `explanation` is what it said, without the noise around it."""

    def __init__(self, stack: str, operation: str, explanation: str, log: Path, said: str = "") -> None:
        super().__init__(f"{operation} of {stack} failed: {explanation}\nThe engine's whole output is in {log}.")
        self.stack = stack
        self.explanation = explanation
        self.log = log
        self.said = said
        """All that it wrote to its streams."""


class _Workspace(automation.LocalWorkspace):
    """Leaves out reading the outputs back: the SDK does it after each operation by starting the engine twice more, once
    with secrets shown, and the engine's events have told them already."""

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:  # noqa: ARG002  (the SDK's own shape)
        return {}


class Engine:
    """Runs operations on the stacks of one fleet. Credentials, backend and PATH are those of this process.

    `fleet` holds tenants/ and cells/; `project` is the folder of a Pulumi.yaml, this repository's unless said
    otherwise. They and `environment` are told to the engine's own process: this one's environment is never written.
    """

    def __init__(
        self, logs: Path, fleet: Path, project: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._project = project
        self._environment = {**(environment or {}), FLEET: str(fleet.resolve())}
        self._command = automation.PulumiCommand()

    def up(self, stack: str, *, refresh: bool = False, environment: Mapping[str, str] | None = None) -> Outcome:
        """`refresh` first reads back what is there. `environment` is told to this one operation."""
        return self._run(stack, "up", partial(automation.Stack.up, refresh=refresh), environment)

    def preview(self, stack: str, *, packs: Sequence[Path] = (), refresh: bool = False) -> Outcome:
        """`packs` are folders of policy packs. `refresh` first reads back what is there, and keeps nothing of it."""
        preview = partial(automation.Stack.preview, policy_packs=[str(pack) for pack in packs] or None, refresh=refresh)
        return self._run(stack, "preview", preview)

    def judge(self, stack: str) -> Outcome:
        """A preview under the policy pack. Fails with what the mandatory rules say."""
        return self._run(stack, "preview", partial(automation.Stack.preview, policy_packs=[str(ROOT / "policies")]))

    def refresh(self, stack: str) -> Outcome:
        return self._run(stack, "refresh", automation.Stack.refresh)

    def destroy(self, stack: str, *, remove: bool = False, dry: bool = False, refresh: bool = False) -> Outcome:
        """`remove` also forgets the stack, once nothing is left in it. `dry` only says what would go."""
        if dry:
            return self._run(stack, "destroy", automation.Stack.preview_destroy)
        return self._run(stack, "destroy", partial(automation.Stack.destroy, remove=remove, refresh=refresh))

    def export(self, stack: str) -> str:
        """The stack's state as JSON text."""
        return json.dumps(self._select(stack).export_stack().deployment)

    def peek(self, stack: str) -> dict[str, Any] | None:
        """The stack's state, with its secrets as they lie there; None where the backend has no such stack. Unlike
        `export` it makes none, and writes nothing."""
        command = ["stack", "export", "--stack", stack]
        try:
            said = self._command.run(command, str(self._project), self._environment).stdout
        except automation.StackNotFoundError:
            return None
        except automation.CommandError as error:
            raise OperationFailed(stack, "export", str(error).strip().splitlines()[-1], self._logs) from None
        return json.loads(said)["deployment"]

    def replace_state(self, stack: str, deployment: Mapping[str, Any]) -> None:
        """Puts `deployment`, as `export` gave it and somebody mended it, in the place of the stack's state."""
        self._select(stack).import_stack(automation.Deployment(version=_DEPLOYMENT, deployment=dict(deployment)))

    def _select(self, stack: str, environment: Mapping[str, str] | None = None) -> automation.Stack:
        told = {**self._environment, **(environment or {})}
        workspace = _Workspace(work_dir=str(self._project), env_vars=told, pulumi_command=self._command)
        return automation.Stack.create_or_select(stack, workspace)

    def _run(
        self, stack: str, operation: str, act: Callable[..., Any], environment: Mapping[str, str] | None = None
    ) -> Outcome:
        log = self._logs / f"{stack}.{operation}.log"
        started = time.monotonic()
        diagnostics: list[str] = []
        changes: dict[str, int] = {}
        outputs: dict[str, Any] = {}
        with log.open("a", encoding="utf-8") as text, log.with_suffix(".jsonl").open("a", encoding="utf-8") as journal:

            def on_event(event: events.EngineEvent) -> None:
                # The SDK waits five seconds for its reader of events, and then goes on without it.
                if journal.closed:
                    return
                journal.write(json.dumps(vars(event), default=vars) + "\n")
                if event.diagnostic_event and event.diagnostic_event.severity == "error":
                    diagnostics.append(event.diagnostic_event.message.strip())
                if event.policy_event and event.policy_event.enforcement_level == "mandatory":
                    diagnostics.append(event.policy_event.message.strip())
                if event.res_outputs_event:
                    outputs.update(_stack_outputs(event.res_outputs_event.metadata))
                if event.summary_event:
                    counted = event.summary_event.resource_changes
                    changes.update({events.OpType(kind).value: count for kind, count in counted.items()})

            def on_text(line: str) -> None:
                text.write(line if line.endswith("\n") else line + "\n")

            try:
                act(self._select(stack, environment), on_output=on_text, on_error=on_text, on_event=on_event)
            except automation.CommandError as error:
                text.write(str(error))
                explanation = "\n".join(dict.fromkeys(diagnostics)) or str(error).strip().splitlines()[-1]
                raise OperationFailed(stack, operation, explanation, log, str(error)) from None
        return Outcome(stack, changes, outputs, time.monotonic() - started)


def _stack_outputs(step: events.StepEventMetadata) -> dict[str, Any]:
    """The stack's outputs where `step` is the stack's own; one that is a secret is not among what is told."""
    if step.type != _STACK or step.new is None:
        return {}
    return {name: value for name, value in (step.new.outputs or {}).items() if value != _HIDDEN}
