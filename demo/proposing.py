"""The check that a pull request with one file makes a tenant, and how long its first answer takes."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import tenancy
from demo.report import CheckFailed, Report
from demo.scene import Scene, wait_until
from ops.stacks.git import git

TENANT = "hotel-sol"
_FIELDS = ("--name", "Hotel Sol", "--from", "acme")


def tenant_from_pull_request(scene: Scene, report: Report) -> str:
    """As CI does it, with git's own commands: `check` on the branch, `up --changed` on the merge."""
    repository = _Repository(scene.fleet_folder, scene.home / "keys.git")
    repository.make()
    repository.git("switch", "--quiet", "--create", "new-tenant")
    scene.command("new", TENANT, *_FIELDS)
    repository.commit(f"Add {TENANT}")
    reviewed = scene.command("check", "--base", "origin/main", "--no-state")
    if TENANT not in reviewed:
        raise CheckFailed(f"the review does not mention {TENANT}")
    before = repository.merge("new-tenant")
    merged = time.monotonic()
    said = json.loads(scene.command("up", "--changed", before, "--json"))
    deployed = time.monotonic()
    stack = scene.names.tenant(TENANT).stack
    if list(said["stacks"]) != [stack]:
        raise CheckFailed(f"the merge of {stack} deployed {sorted(said['stacks'])}")
    scene.fleet = tenancy.load(scene.fleet_folder)
    secrets = scene.client("deployer", "secretsmanager")
    secret = scene.names.tenant(TENANT).secret
    wait_until(lambda: "LastRotatedDate" in secrets.describe_secret(SecretId=secret), f"the first key of {TENANT}")
    keyed = time.monotonic()
    with scene.reader.openai_client(TENANT) as client:
        client.responses.create(model=scene.reader.get(TENANT).models[0], input="Have you a room with a view?")
    answered = time.monotonic()
    report.figures["merge_to_stack_deployed_seconds"] = round(deployed - merged, 1)
    report.figures["stack_deployed_to_first_key_seconds"] = round(keyed - deployed, 1)
    report.figures["first_key_to_first_answer_seconds"] = round(answered - keyed, 1)
    report.figures["merge_to_first_answer_seconds"] = round(answered - merged, 1)
    return f"one file, checked and merged: the model answered {TENANT} {answered - merged:.1f} s after the merge"


class _Repository:
    """The demo's files as a git repository with a bare remote, as in CI."""

    def __init__(self, work: Path, bare: Path) -> None:
        self._work = work
        self._bare = bare

    def make(self) -> None:
        for leftover in (self._bare, self._work / ".git"):
            shutil.rmtree(leftover, ignore_errors=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self._bare))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(self._bare))
        self.commit("Tenants and cells")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD")

    def merge(self, branch: str) -> str:
        """Returns the commit of main before the merge, as a push event has it."""
        self.git("switch", "--quiet", "main")
        before = self.git("rev-parse", "HEAD")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        self.git("push", "--quiet", "origin", "main")
        return before

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=demo", "-c", "user.email=demo@myflux.example"]
        done = git(self._work, *who, *arguments)
        if done.returncode:
            raise CheckFailed(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().strip()
