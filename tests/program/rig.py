"""Plain `pulumi`, typed in the repository's root as a person types it, and what it said and did.

Owns running the engine and reading its events. Leaves out what the program should do (the tests). Everything that the
engine prints is kept below `said`, where the search for keys reads it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tenancy
from local.cell import LocalCell
from myflux_keys.aws_names import CellNames, TenantNames
from ops.actions import admin_key

ROOT = Path(__file__).resolve().parents[2]
CELL = "local"
UNTOUCHED = ("same", "read")
CHANGES = (
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "PutResourcePolicy",
    "PutSecretValue",
    "RestoreSecret",
    "RotateSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)
"""What can be done to a secret, by CloudTrail's names."""


@dataclass(frozen=True)
class Step:
    """What the engine did, or would do, to one resource."""

    op: str
    type: str
    name: str
    diff: dict[str, Any]
    """Property path to how it changes; empty unless `op` updates or replaces."""


@dataclass(frozen=True)
class Run:
    code: int
    out: str = field(repr=False)
    err: str

    @cached_property
    def _events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith('{"sequence"')]

    @property
    def steps(self) -> list[Step]:
        found = [event["resourcePreEvent"]["metadata"] for event in self._events if "resourcePreEvent" in event]
        return [
            Step(step["op"], step["type"], step["urn"].rpartition("::")[2], step.get("detailedDiff") or {})
            for step in found
        ]

    @property
    def changed(self) -> dict[str, str]:
        """Resource name to operation, for what was not left alone."""
        return {step.name: step.op for step in self.steps if step.op not in UNTOUCHED}

    @property
    def summary(self) -> dict[str, int]:
        """Number of resources by what happened to them, as the engine counts."""
        return next(event["summaryEvent"]["resourceChanges"] for event in self._events if "summaryEvent" in event)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    @property
    def errors(self) -> list[str]:
        """What a person reads, one entry an error: the program's and providers', or else what is on stderr."""
        told = [event["diagnosticEvent"] for event in self._events if "diagnosticEvent" in event]
        messages = [text["message"].strip() for text in told if text["severity"] == "error"]
        return list(dict.fromkeys(messages)) or [self.err]

    @property
    def refusal(self) -> str:
        """The one error that was told, without a traceback. Fails if it was told in any other way."""
        (only,) = self.errors
        assert "Traceback" not in only, only
        return only


@dataclass
class Rig:
    """One cell and its stacks. `fleet` holds copies of tenants/ and cells/ that a test may edit."""

    cell: LocalCell
    fleet: Path
    said: Path
    stacks: list[str] = field(default_factory=list[str])
    project: Path = ROOT
    """Where the engine is run."""
    state: str = ""
    """Where the engine keeps its state, as PULUMI_BACKEND_URL has it; left out: the cell's own folder."""
    patience: float = 300
    """Seconds that one run of it may take."""
    _runs: int = 0

    @property
    def names(self) -> CellNames:
        return CellNames(CELL, self.cell.account_id, self.cell.region)

    def tenant(self, slug: str) -> TenantNames:
        return self.names.tenant(slug)

    def environment(self, fleet: Path | None = None) -> dict[str, str]:
        return self.cell.environment("deployer") | {
            "MYFLUX_FLEET": str(fleet or self.fleet),
            # A preview then tells its events like every other operation does.
            "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
            **({"PULUMI_BACKEND_URL": self.state} if self.state else {}),
        }

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """The engine in a process group of its own, so that a test can end it with all that it started."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.project,
            env=environment or self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, running: subprocess.Popen[str]) -> Run:
        out, err = running.communicate(timeout=self.patience)
        self._runs += 1
        (self.said / f"{self._runs:03}.log").write_text(out + err, encoding="utf-8")
        return Run(running.returncode, out, err)

    def pulumi(self, *arguments: str, environment: dict[str, str] | None = None, fails: bool = False) -> Run:
        run = self.finish(self.start(*arguments, environment=environment))
        assert (run.code != 0) is fails, f"pulumi {' '.join(arguments)} ended with {run.code}: {run.errors}"
        return run

    def make(self, stack: str) -> None:
        """An empty stack, without selecting it: which stack a person has selected is theirs."""
        if stack in self.stacks:
            return
        provider = self.environment().get("MYFLUX_SECRETS_PROVIDER")
        self.pulumi("stack", "init", stack, "--no-select", *(("--secrets-provider", provider) if provider else ()))
        self.stacks.append(stack)

    def up(self, stack: str, **how: Any) -> Run:
        self.make(stack)
        return self.pulumi("up", "--stack", stack, "--yes", "--skip-preview", "--json", **how)

    def preview(self, stack: str, **how: Any) -> Run:
        self.make(stack)
        return self.pulumi("preview", "--stack", stack, "--json", **how)

    def refresh(self, stack: str, *more: str, **how: Any) -> Run:
        return self.pulumi("refresh", "--stack", stack, "--yes", "--skip-preview", "--json", *more, **how)

    def destroy(self, stack: str, **how: Any) -> Run:
        return self.pulumi("destroy", "--stack", stack, "--yes", "--skip-preview", "--json", **how)

    def export(self, stack: str, *more: str) -> dict[str, Any]:
        """The stack's deployment as the engine tells it."""
        out = subprocess.run(
            ["pulumi", "stack", "export", "--stack", stack, *more],
            cwd=self.project,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return json.loads(out)

    def resources(self, stack: str) -> list[dict[str, Any]]:
        return self.export(stack)["deployment"].get("resources", [])

    def tenant_file(self, slug: str) -> Path:
        return self.fleet / "tenants" / f"{slug}.yaml"

    def add_tenant(self, slug: str, like: str = "acme") -> TenantNames:
        """A new customer, whose file is `like`'s with another name."""
        text = (ROOT / "tenants" / f"{like}.yaml").read_text(encoding="utf-8")
        self.tenant_file(slug).write_text(text.replace(f"tenant: {like}", f"tenant: {slug}"), encoding="utf-8")
        return self.tenant(slug)

    def edit(self, slug: str, old: str, new: str) -> None:
        file = self.tenant_file(slug)
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file.name} holds {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def another_fleet(self, folder: Path) -> Path:
        """A copy of the shipped files for a test that breaks them."""
        for name in ("tenants", "cells"):
            shutil.copytree(ROOT / name, folder / name)
        return folder

    def client(self, user: str, service: str) -> Any:
        return self.cell.client(user, service)

    def state_in_s3(self, bucket: str, *, versioned: bool) -> str:
        """The address of a new bucket that deployers may use for their state; the caller sets `state`."""
        s3 = self.client("administrator", "s3")
        s3.create_bucket(Bucket=bucket)
        if versioned:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        allowed = {
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        self.client("administrator", "iam").put_user_policy(
            UserName="deployer",
            PolicyName="state",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        address = f"127.0.0.1:{self.cell.aws_port}"
        return f"s3://{bucket}?endpoint={address}&disableSSL=true&s3ForcePathStyle=true&region={self.cell.region}"

    def describe(self, slug: str) -> dict[str, Any]:
        return self.client("deployer", "secretsmanager").describe_secret(SecretId=self.tenant(slug).secret)

    def current(self, slug: str) -> str | None:
        stages = self.describe(slug).get("VersionIdsToStages", {})
        return next((version for version, labels in stages.items() if "AWSCURRENT" in labels), None)

    def await_first_key(self, slug: str) -> None:
        wait_until(lambda: "LastRotatedDate" in self.describe(slug), f"the first key of {slug}")

    def last_rotated(self, slug: str) -> Any:
        return self.describe(slug).get("LastRotatedDate")

    def await_rotation(self, slug: str, before: Any) -> None:
        """To the rotation's end: `before` is LastRotatedDate as it was. AWSCURRENT moves while the last step still has
        the old key to shorten."""
        wait_until(lambda: self.last_rotated(slug) != before, f"a rotation of {slug}")

    def rotate(self, slug: str) -> None:
        before = self.last_rotated(slug)
        self.client("deployer", "secretsmanager").rotate_secret(SecretId=self.tenant(slug).secret)
        self.await_rotation(slug, before)

    def live_keys(self, slug: str, organization: str | None = None) -> list[str]:
        """In the cell's own organization, or in a customer's."""
        prefix = f"{self.tenant(slug).project}-"
        living = self.cell.openai.live_keys(organization_id=organization)
        return [key.id for key in living if key.name.startswith(prefix)]

    def projects(self, slug: str, organization: str | None = None) -> list[Any]:
        """In the cell's own organization, or in a customer's."""
        found = self.cell.openai.projects(organization)
        return [project for project in found if project.name == self.tenant(slug).project]

    def trail(self, slug: str) -> list[str]:
        """The changes that were asked for, and not refused, to a tenant's secret, first to last."""
        pages = self.client("administrator", "cloudtrail").get_paginator("lookup_events")
        found: list[dict[str, Any]] = []
        for name in CHANGES:
            by_name = [{"AttributeKey": "EventName", "AttributeValue": name}]
            found += [event for page in pages.paginate(LookupAttributes=by_name) for event in page["Events"]]
        events = [json.loads(e["CloudTrailEvent"]) for e in sorted(found, key=lambda event: event["EventTime"])]
        about = f"myflux/{CELL}/{slug}/openai"
        return [
            event["eventName"]
            for event in events
            if about in json.dumps(event["requestParameters"]) and "errorCode" not in event
        ]

    def store_admin_key(self) -> None:
        """From the emulator straight to its place, by the operation behind `myflux-keys admin-key set`."""
        cell = tenancy.load(self.fleet).cells[CELL]
        key = admin_key.SecretText(self.cell.openai.create_admin_key("tests"))
        admin_key.store(cell, key, self.cell.openai_url, self.client("deployer", "secretsmanager"))


def wait_until(done: Callable[[], bool], what: str, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < give_up, f"still waiting after {seconds:.0f} s for {what}"
        time.sleep(0.1)
