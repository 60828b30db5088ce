"""A mark's whole life on a real folder of states: `up` leaves it, and whatever a person does by hand voids it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import program
from ops.stacks import lock_holder, mark_place, unchanged
from ops.stacks.engine import Engine, OperationFailed
from tests.program.rig import CELL, Rig
from tests.stacks.conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.cell]

SLUG = "marked"
STACK = f"{SLUG}.{CELL}"
UNCHANGED = {STACK: "unchanged (by mark)"}


def by_hand(rig: Rig, folder: Path) -> dict[str, Callable[[], object]]:
    """Each way in which a person changes a state with `pulumi` alone. In this order each has something to change: `up`
    with another file denies the readers, which `refresh` then reads."""
    rig.stacks.append(STACK)
    (policy,) = [one["urn"] for one in rig.resources(STACK) if one["type"].endswith("secretPolicy:SecretPolicy")]
    exported = folder / "exported.json"
    rig.pulumi("stack", "export", "--stack", STACK, "--file", str(exported))
    on = ("--stack", STACK, "--yes")

    def changed_and_imported() -> None:
        state = json.loads(exported.read_text("utf-8"))
        state["deployment"]["resources"][-1]["protect"] = True
        exported.write_text(json.dumps(state), "utf-8")
        rig.pulumi("stack", "import", "--stack", STACK, "--file", str(exported))

    def with_another_file() -> None:
        before = rig.tenant_file(SLUG).read_text("utf-8")
        rig.tenant_file(SLUG).write_text(f"{before}enabled: false\n", "utf-8")
        rig.up(STACK)
        rig.tenant_file(SLUG).write_text(before, "utf-8")

    return {
        "up": with_another_file,
        "refresh": lambda: rig.refresh(STACK),
        "stack import": changed_and_imported,
        "state protect": lambda: rig.pulumi("state", "protect", policy, *on),
        "state delete": lambda: rig.pulumi("state", "delete", policy, *on),
        "stack rm": lambda: rig.pulumi("stack", "rm", STACK, "--yes", "--force", "--preserve-config"),
    }


def test_a_mark_holds_until_anything_that_decides_the_stack_or_its_state_changes(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = operator.rig
    rig.add_tenant(SLUG, like="initech")
    made = operator.run("up", SLUG)
    assert made.outcomes == {STACK: "succeeded"}, made.err
    again = operator.run("up", SLUG)
    assert (again.code, again.outcomes) == (0, UNCHANGED), again.err
    assert "process" not in again.err, "no worker was started for it"
    engine = operator.run("up", SLUG, "--no-marks")
    assert (engine.outcomes, set(engine.facts["stacks"][STACK]["changes"])) == ({STACK: "succeeded"}, {"same"})

    for name, value in (rig.environment() | {"MYFLUX_STATE": str(operator.state)}).items():
        monkeypatch.setenv(name, value)
    url = rig.environment()["PULUMI_BACKEND_URL"]
    marks = mark_place.opened(url)
    assert isinstance(marks, mark_place.Folder)

    def holds() -> bool:
        return unchanged.find(rig.fleet, {STACK: SLUG}) == {STACK}

    assert holds(), "the run without marks left one"
    assert operator.run("refresh", SLUG).outcomes == {STACK: "succeeded"}
    assert holds(), "the refresh found nothing"
    states = next(rig.cell.home.rglob(f"{STACK}.json.mark")).parent
    kept = shutil.copytree(states, tmp_path / "kept")

    def as_it_was() -> None:
        shutil.rmtree(states)
        shutil.copytree(kept, states)
        assert holds(), "nothing differs from the last `up`"

    for way, do in by_hand(rig, tmp_path).items():
        do()
        assert not holds(), f"pulumi {way}"
        as_it_was()

    lock = states.parents[1] / "locks" / "organization" / "myflux-keys" / STACK / "one.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("{}", "utf-8")
    assert not holds(), "somebody works on it"
    rig.pulumi("cancel", "--yes", "--stack", STACK)
    assert holds(), "the lock was all that was there"
    lock_holder.begin(lock_holder.notes(url), STACK)
    assert not holds(), "a worker of this machine was lost there"
    lock_holder.end(lock_holder.notes(url), STACK)

    secrets, name = rig.client("deployer", "secretsmanager"), rig.tenant(SLUG).secret
    policy = secrets.get_resource_policy(SecretId=name)["ResourcePolicy"]
    secrets.delete_resource_policy(SecretId=name)
    assert not holds(), "`up` restores the policy, so a mark must not keep it from that"
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    secrets.delete_secret(SecretId=name)
    assert not holds(), "`up` says that its deletion is scheduled, and what to do"
    secrets.restore_secret(SecretId=name)
    assert holds()

    with pytest.raises(OperationFailed):
        Engine(tmp_path / "logs", rig.fleet).up(STACK, environment={program.ADOPT: "arn:of:another"})
    assert marks.mark(STACK) == "", "none is left by a run that failed"
