"""The SDK's workspace and stack, without what they start the engine for and nobody needs.

Leaves out the operations (`engine`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pulumi import automation
from semver import VersionInfo

from ops.state_place import StatePlace
from tools import engine


class Workspace(automation.LocalWorkspace):
    """Starts the engine for the operation alone.

    The SDK would start it before each one, to select the stack: each command names it, and the selected stack is the
    user's choice. After each one it would start it twice to read the outputs back, once with secrets shown: the
    engine's events hold the outputs already.
    """

    def select_stack(self, stack_name: str) -> None:
        pass

    def create_stack(self, stack_name: str) -> None:
        command = ["stack", "init", stack_name, "--no-select"]
        if not self.secrets_provider:
            self.pulumi_command.run(command, self.work_dir, self.env_vars)
            return
        with TemporaryDirectory(prefix="myflux-stack-") as folder:
            # The engine writes the provider beside the project too, where it would outlive a later one.
            settings = self.project_settings()
            Path(folder, "Pulumi.yaml").write_text(json.dumps({"name": settings.name, "runtime": "python"}), "utf-8")
            command += ["--secrets-provider", self.secrets_provider]
            self.pulumi_command.run(command, folder, self.env_vars)

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:  # noqa: ARG002  (the SDK's own shape)
        return {}


class Stack(automation.Stack):
    """Does not read the last update back, for which the SDK starts the engine once more."""

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:  # noqa: ARG002
        return automation.UpdateSummary("", datetime.now(UTC), "", {}, {}, "")


@contextmanager
def removed_if_empty(workspace: Workspace, stack: str, *, also_after_success: bool) -> Generator[None]:
    """For a stack that was just created: a failed first `up` or a preview leaves none behind. The engine itself looks,
    under its lock, whether the stack has a resource, and then keeps it."""
    done = False
    try:
        yield
        done = True
    finally:
        if also_after_success or not done:
            with suppress(automation.CommandError):
                workspace.remove_stack(stack)


@cache
def pulumi_command() -> automation.PulumiCommand:
    """The engine's command. The SDK starts it to read its version, a third of a second: once for all the stacks of a
    process, and never where it is the engine of the cache, whose version was read before it was put there."""
    found = shutil.which("pulumi")
    version = engine.version_if_cached(Path(found), os.environ) if found else None
    return _Cached(version) if version else automation.PulumiCommand()


class _Cached(automation.PulumiCommand):
    def __init__(self, version: str) -> None:
        self.command = "pulumi"
        self.version = VersionInfo.parse(version)


def settings(place: StatePlace, file: Path) -> str | None:
    """`file`, emptied: the stack's settings for one operation. The engine then takes the provider of secrets from the
    state, and not from what it once wrote beside the project, which may be another since. None where no key of the
    cell's encrypts the state."""
    if not place.secrets_provider:
        return None
    file.write_text("{}\n", encoding="utf-8")
    return str(file)
