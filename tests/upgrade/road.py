"""The road of an operator: the previous version, this one tenant by tenant, and one step back.

Owns the order and what must hold after each step. Each step returns a sentence for the report.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.report import CheckFailed
from demo.scene import wait_until
from ops import journal
from tests.upgrade import standing
from tests.upgrade.stage import CELL, Stage
from tests.upgrade.version import BEFORE_RELEASES, THIS, Version, install


@dataclass
class Road:
    stage: Stage
    at_first: standing.Identities = field(default_factory=dict[str, str])

    @property
    def previous(self) -> Version:
        return self.stage.previous

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """In order: each needs those before it."""
        return [
            ("previous-installed", lambda: install(self.previous, os.environ)),
            ("cell-up", self.cell_up),
            ("previous-platform", self.previous_platform),
            ("previous-tenants", self.previous_tenants),
            ("previous-rotated", lambda: self.rotated(self.previous)),
            ("one-tenant-ahead", self.ahead),
            ("platform-upgraded", lambda: self.moved(lambda: self.stage.platform(THIS), "the platform")),
            ("half-upgraded", self.half),
            ("histories-read", self.histories),
            ("rotation-continued", self.continued),
            ("upgraded", lambda: self.moved(lambda: self.up(THIS), "the other tenants")),
            ("second-up-unchanged", lambda: self.settled(THIS)),
            ("rotated", lambda: self.rotated(THIS)),
            (
                "platform-back",
                lambda: self.moved(lambda: self.stage.platform(self.previous), "the platform", back=True),
            ),
            ("half-back", self.half),
            ("back", lambda: self.moved(lambda: self.up(self.previous), "the tenants", back=True)),
            ("second-back-unchanged", lambda: self.settled(self.previous)),
            ("rotated-back", lambda: self.rotated(self.previous)),
            ("no-call-failed", self.no_call_failed),
            ("offboarding-continued", self.offboarded),
        ]

    def cell_up(self) -> str:
        self.stage.open()
        where = f"AWS on {self.stage.cell.aws_url}, OpenAI on {self.stage.cell.openai_url}"
        return f"{where}; the files of cell and tenants are the previous version's"

    def previous_platform(self) -> str:
        """By `up --cell`, which stops where tenants need the admin key, and so leaves the record of a stopped run."""
        told = self.stage.run(self.previous, "up", "--cell", CELL, expect=(1,))
        if "admin-key set" not in told:
            raise CheckFailed(f"the tenants were to wait for the admin key: {told[-800:]}")
        self.stage.pipe(["openai-admin-key"], self.previous, "admin-key", "set", "--cell", CELL)
        return "up --cell: the platform is there, its tenants wait for the admin key, which is stored now"

    def previous_tenants(self) -> str:
        tenants = sorted(self.stage.fleet.tenants)
        self.stage.run(self.previous, "up", *tenants)
        self.stage.hand_over(self.previous)
        secrets = self.stage.cell.client("deployer", "secretsmanager")

        def minted(slug: str) -> bool:
            secret = self.stage.names.tenant(slug).secret
            return "LastRotatedDate" in secrets.describe_secret(SecretId=secret)

        for slug in self.stage.managed:
            wait_until(lambda slug=slug: minted(slug), f"the first key of {slug}")
        self.stage.readers.start([self.previous, THIS])
        calls = self.stage.readers.await_calls()
        return f"{', '.join(tenants)} have keys; the readers of both versions call the model: {calls} calls"

    def rotated(self, version: Version) -> str:
        self.stage.rotate(version, *self.stage.managed)
        before = self.stage.readers.keys()
        self.stage.hand_over(version)
        self.stage.readers.await_new_keys(before, self.stage.customers)
        # 3: nothing is wrong, and the health function has not looked yet.
        self.stage.run(version, "status", expect=(0, 3) if version is THIS else (0,))
        return (
            f"all by {version.name[:12]}, customers' keys replaced; both readers call with the new keys; status is ok"
        )

    def up(self, version: Version) -> None:
        self.stage.run(version, "up", "--cell", CELL)

    def moved(self, change: Callable[[], object], what: str, *, back: bool = False) -> str:
        """Runs `change`, which may neither replace nor delete anything that a key or a reader needs."""
        before, since = self.stage.identities(), time.time()
        change()
        done = self.stage.steps(since)
        gone = standing.nothing_replaced(done, self.at_first)
        may_go = self.at_first if back else None
        same = standing.unchanged(before, self.stage.identities(), may_go=may_go)
        calls = self.stage.readers.await_calls()
        counts = Counter(operation for operation, _ in done)
        if not counts:
            raise CheckFailed("the engine's steps are not in its logs")
        told = ", ".join(f"{count} {operation}" for operation, count in sorted(counts.items()))
        also = f" (gone: {len(gone)}, of types that come and go)" if gone else ""
        return f"{what}: {told}{also}; {same} identities as before; {calls} calls, none failed"

    def ahead(self) -> str:
        """A pipeline deploys tenants at the merge, and a person the platform afterwards."""
        tenant = self.stage.managed[0]
        self.at_first = self.stage.identities()
        told = self.moved(lambda: self.stage.run(THIS, "up", tenant), f"{tenant}, before its platform")
        self.stage.rotate(THIS, tenant)
        if self.previous.name == BEFORE_RELEASES:
            refused = self.stage.run(THIS, "revoke", tenant, "--reason", "leak", "--yes", expect=(1,))
            if "earlier version" not in refused or "Nothing was changed" not in refused:
                raise CheckFailed(f"revoke was to refuse the functions of {self.previous.name}: {refused}")
        self.stage.readers.await_calls()
        return f"{told}; rotated by the earlier functions; `revoke`, which needs newer ones, refuses before any change"

    def half(self) -> str:
        """The first tenant's stack is of another version than the others', and each version's command rotates one."""
        upgraded, other, *_ = self.stage.managed
        self.stage.rotate(THIS, upgraded)
        self.stage.rotate(self.previous, other)
        return (
            f"{upgraded} rotated by this version's command, {other} by the previous one's: one platform, two versions"
        )

    def continued(self) -> str:
        """The previous version's command is killed between two tenants; this version's finds the record."""
        tenants = self.stage.managed[1:]
        cell = self.stage.fleet.cells[CELL]
        theirs = self.stage.records / cell.account_id / cell.region / cell.cell
        record = theirs / journal.name("rotate", tenants)
        before = self.stage.readers.keys()
        command = ["rotate", *tenants, "--reason", "leak", "--wait", *(["--yes"] if self.asks else [])]
        self.stage.killed(
            self.previous,
            *command,
            when=lambda: record.exists() and '"outcome": "started"' in record.read_text(encoding="utf-8"),
        )
        left = [entry["outcome"] for entry in json.loads(record.read_text(encoding="utf-8"))["entries"].values()]
        # A local cell's records have a folder of their own for each backend; those of other cells stay where they are.
        ours = journal.folder(cell, self.stage.environment)
        if ours != theirs:
            ours.mkdir(parents=True, exist_ok=True)
            shutil.copy(record, ours / record.name)
        told = self.stage.run(THIS, "rotate", *tenants, "--reason", "leak", "--resume", "--wait", "--yes")
        if "was stopped" not in told:
            raise CheckFailed(f"the record of the stopped run was not read: {told}")
        self.stage.readers.await_new_keys(before, tenants)
        return f"killed with the outcomes {left}; this version read the record and finished the run"

    @property
    def asks(self) -> bool:
        return "--yes" in self.stage.run(self.previous, "rotate", "--help")

    def settled(self, version: Version) -> str:
        since = time.time()
        told = self.stage.run(version, "up", "--cell", CELL)
        done = [step for step in self.stage.steps(since) if step[0] not in ("same", "read", "refresh")]
        if done:
            raise CheckFailed(f"the second up of {version.name[:12]} was to find nothing: {done}; {told}")
        return f"up --cell of {version.name[:12]}: no resource changed"

    def histories(self) -> str:
        for tenant, version in zip(self.stage.managed, (THIS, self.previous), strict=False):
            told = self.stage.run(THIS, "history", tenant)
            if f'"by {version.name[:12]}"' not in told:
                raise CheckFailed(f"history {tenant} does not tell the rotation by {version.name}: {told}")
        return "`history` tells the rotations by both versions' commands, with their reasons"

    def no_call_failed(self) -> str:
        calls = self.stage.readers.await_calls()
        self.stage.readers.stop()
        return f"{calls} calls of two readers for {len(self.stage.fleet.tenants)} tenants: none failed"

    def offboarded(self) -> str:
        """The previous version's off-boarding stops at OpenAI's refusal; this version's goes on with its record."""
        tenant = self.stage.managed[-1]
        cell = self.stage.fleet.cells[CELL]
        openai = self.stage.cell.openai
        openai.fault("500", method="DELETE", path=r"/api_keys/", count=None)
        try:
            self.stage.run(self.previous, "offboard", tenant, "--reason", "left", "--yes", expect=(1,))
        finally:
            openai.clear_faults()
        theirs = self.stage.records / cell.account_id / cell.region / cell.cell / journal.name("offboard", [tenant])
        ours = journal.folder(cell, self.stage.environment)
        if ours != theirs.parent:
            shutil.copy(theirs, ours / theirs.name)
        self.stage.platform(THIS)
        told = self.stage.run(THIS, "offboard", tenant, "--reason", "left", "--yes")
        if "Continuing the run" not in told:
            raise CheckFailed(f"the record of the stopped off-boarding was not read: {told}")
        project = self.stage.names.tenant(tenant).project
        found = next(one for one in openai.projects() if one.name == project)
        if not found.archived or found.live_keys:
            raise CheckFailed(f"{project} has {len(found.live_keys)} valid keys, archived: {found.archived}")
        return f"{tenant}: stopped by the previous version, finished by this one; no key is valid, the project archived"
