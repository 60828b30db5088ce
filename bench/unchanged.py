"""Measures `myflux-keys up --all` over a fleet of which nothing, or little, changed.

The whole command runs, with its platform. Some tenants are deployed by the engine. The others have what `up` looks at
before it trusts a mark (file, secret with tags and policy, state, mark), made by AWS's API and by copies: what a mark
costs does not depend on how its state was made. Leaves out memory (`worker_memory`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from bench import command, stage
from bench.command import Ran
from bench.crowd import state_file
from bench.figures import Figure, at_most
from components.iam import resource as policies
from ops.stacks import mark, mark_place, sources
from ops.stacks.deciding import Deciding
from ops.stacks.mark import Mark

FLEET: Final = 2_000
REAL: Final = 20
CHANGED: Final = 10
GOAL_SECONDS: Final = 60.0
SAME_COST: Final = 1.25
"""The largest allowed ratio: one sample of each on a busy machine differs by some per cent."""
_LIKE: Final = "initech"
"""The tenant whose copies fill the fleet: its secret is complete without a rotation, which would take a Lambda each."""
BY_MARK: Final = "unchanged (by mark)"


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes some minutes; `quick` only tests that it works."""
    fleet, real, changed = (12, 2, 1) if quick else (FLEET, REAL, CHANGED)
    with stage.opened(home / "unchanged") as here:
        here.environment["MYFLUX_STATE"] = str(home / "unchanged" / "operations")
        slugs = [f"real-{one:02d}" for one in range(real)]
        for slug in slugs:
            here.expect_tenant(slug)
        deployed = _up(here, *slugs)
        for slug in slugs:
            here.await_first_key(slug)
        _fill(here, [f"copy-{one:04d}" for one in range(fleet - real - 1)])
        unchanged = _up(here, "--all")
        _raise_budgets(here, slugs[:changed], "300")
        among = _up(here, "--all")
        _raise_budgets(here, slugs[:changed], "400")
        alone = _up(here, *slugs[:changed])
    return figures(fleet, changed, deployed, unchanged, among, alone)


def _up(here: stage.Stage, *what: str) -> Ran:
    return command.run(here, "up", *what)


def _fill(here: stage.Stage, slugs: Sequence[str]) -> None:
    """Copies of one deployed tenant whose key is the customer's own."""
    text = (stage.ROOT / "tenants" / f"{_LIKE}.yaml").read_text("utf-8")
    here.expect_tenant(_LIKE)
    (here.fleet / "tenants" / f"{_LIKE}.yaml").write_text(text, "utf-8")
    real = here.names.tenant(_LIKE)
    _up(here, _LIKE)
    secrets = here.client("secretsmanager")
    key = secrets.describe_secret(SecretId=real.secret)["KmsKeyId"]
    state = state_file(here.home, real.stack).read_text("utf-8")
    with stage.towards(here.environment):
        marks = mark_place.opened(here.environment["PULUMI_BACKEND_URL"])
        if marks is None:
            raise RuntimeError("the cell keeps its states in no folder")
        deciding = Deciding(here.fleet, stage.CELL, marks, own_settings=True, code=sources.code_digest())

        def add(slug: str) -> None:
            tenant = here.names.tenant(slug)
            file = here.fleet / "tenants" / f"{slug}.yaml"
            file.write_text(text.replace(f"tenant: {_LIKE}", f"tenant: {slug}"), "utf-8")
            tags: list[Any] = [{"Key": name, "Value": value} for name, value in tenant.tags.items()]
            secrets.create_secret(Name=tenant.secret, KmsKeyId=key, Tags=tags)
            document = policies.tenant_secret(
                tenant,
                reader_role=tenant.cell.runtime_role_arn,
                writers=here.deployers,
                deployers=here.deployers,
                enabled=True,
            )
            secrets.put_resource_policy(SecretId=tenant.secret, ResourcePolicy=json.dumps(document))
            state_file(here.home, tenant.stack).write_text(state.replace(_LIKE, slug), "utf-8")
            version, decides = marks.version(tenant.stack), deciding.all(tenant.stack)
            if version is None or decides is None:
                raise RuntimeError(f"{tenant.stack} has no state, or its platform exports nothing")
            marks.leave(tenant.stack, mark.written(Mark(decides, version)))

        with ThreadPoolExecutor(max_workers=4) as pool:
            for _ in pool.map(add, slugs):
                pass


def _raise_budgets(here: stage.Stage, slugs: Sequence[str], dollars: str) -> None:
    for slug in slugs:
        file = here.fleet / "tenants" / f"{slug}.yaml"
        lines = file.read_text("utf-8").splitlines()
        changed = [_with_budget(line, dollars) for line in lines]
        if changed == lines:
            raise RuntimeError(f"{file.name} has no monthly_usd")
        file.write_text("\n".join(changed) + "\n", "utf-8")


def _with_budget(line: str, dollars: str) -> str:
    before, name, after = line.partition("monthly_usd: ")
    return f"{before}{name}{dollars}{after.lstrip('0123456789')}" if name else line


def figures(fleet: int, changed: int, deployed: Ran, unchanged: Ran, among: Ran, alone: Ran) -> list[Figure]:
    """Pure: the table's lines. Raises RuntimeError where a command ran other stacks than it should."""
    for taken, run in ((unchanged, 1), (among, 1 + changed)):
        # The platform has no mark.
        if taken.outcomes.get("succeeded", 0) != run or taken.outcomes.get(BY_MARK, 0) != fleet + 1 - run:
            raise RuntimeError(f"of {fleet:,} tenants, {run} stacks were to be run: {dict(taken.outcomes)}")
    real = sum(deployed.outcomes.values())
    each = deployed.seconds / real
    more = among.cpu - unchanged.cpu
    note = (
        f"the whole command with its platform; {real} of the tenants by the engine, {fleet - real:,} by API and copies"
    )
    return [
        at_most(
            f"up of {fleet:,} unchanged tenants",
            round(unchanged.seconds, 1),
            "s",
            GOAL_SECONDS,
            peer=f"the engine for each: {each * fleet / 60:.0f} min, reckoned from {real} new ones",
            note=note,
        ),
        Figure(
            f"up of {fleet:,} unchanged tenants, CPU", round(unchanged.cpu, 1), "s", note="without the cell's servers"
        ),
        Figure(f"up with {changed} of {fleet:,} changed", round(among.seconds, 1), "s"),
        at_most(
            f"CPU that {changed} changed add, over {changed} alone",
            round(more / alone.cpu, 2),
            "times",
            SAME_COST,
            note=f"{more:.1f} s added to {unchanged.cpu:.1f} s; {changed} by name take {alone.cpu:.1f} s",
        ),
    ]
