"""An up that is cut short in the middle of a tenant: the next one completes it, and nothing is made twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.program.gate import Gate, gate
from tests.program.rig import Rig, Run

pytestmark = [pytest.mark.engine, pytest.mark.cell]

Cut = Callable[[str, Callable[[str, str], bool], Callable[["subprocess.Popen[str]", Gate], None]], Run]


@pytest.fixture
def cut(platform: Rig) -> Iterator[Cut]:
    """Starts the up of a new tenant and strikes once AWS has applied a call whose answer is not back yet."""
    started: list[subprocess.Popen[str]] = []

    def run(slug: str, at: Callable[[str, str], bool], strike: Callable[[subprocess.Popen[str], Gate], None]) -> Run:
        tenant = platform.add_tenant(slug)
        platform.make(tenant.stack)
        with gate(platform.cell.aws_port, at) as between:
            environment = platform.environment() | {"AWS_ENDPOINT_URL": between.url}
            started.append(
                platform.start(
                    "up", "--stack", tenant.stack, "--yes", "--skip-preview", "--json", environment=environment
                )
            )
            assert between.held.wait(60), "the moment to strike never came"
            strike(started[-1], between)
            return platform.finish(started[-1])

    yield run
    for process in started:
        _kill_group(process)


def _kill_group(process: subprocess.Popen[str]) -> None:
    """As when the machine goes down: the engine with its plugins and the program."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def invoking(_target: str, path: str) -> bool:
    return "/invocations" in path


def creating_the_secret(target: str, _path: str) -> bool:
    return target.endswith(".CreateSecret")


def asking_for_rotation(target: str, _path: str) -> bool:
    return target.endswith(".RotateSecret")


def _complete(rig: Rig, slug: str) -> None:
    """What holds after a tenant is up, however it got there."""
    rig.await_first_key(slug)
    (project,) = rig.projects(slug)
    assert list(project.service_accounts.values()) == ["member"], "one service account, and it may work"
    held = [secret["Name"] for secret in rig.client("administrator", "secretsmanager").list_secrets()["SecretList"]]
    assert held.count(rig.tenant(slug).secret) == 1
    assert len(project.live_keys) == 1, "exactly one live key"
    assert rig.current(slug) is not None
    assert project.live_keys[0].name == rig.tenant(slug).key_name(str(rig.current(slug))), "and it is the current one"
    assert not rig.export(rig.tenant(slug).stack)["deployment"].get("pending_operations")
    assert rig.up(rig.tenant(slug).stack).changed == {}


def test_ctrl_c_waits_for_the_step_under_way_and_the_next_up_goes_on(platform: Rig, cut: Cut) -> None:
    def press(process: subprocess.Popen[str], between: Gate) -> None:
        os.kill(process.pid, signal.SIGINT)
        between.opened.set()

    stopped = cut("ctrlc", invoking, press)
    assert stopped.code != 0
    assert "Traceback" not in stopped.err
    assert "ctrlc-rotation" not in stopped.changed, "it stopped before the end"
    platform.up("ctrlc.local")
    _complete(platform, "ctrlc")


def test_an_engine_that_was_killed_leaves_a_lock_and_cancel_and_up_complete_what_it_began(
    platform: Rig, cut: Cut
) -> None:
    cut("killed", invoking, lambda process, _: _kill_group(process))
    locked = platform.up("killed.local", fails=True)
    assert "pulumi cancel" in locked.err, "the engine says what to do about the lock"
    platform.pulumi("cancel", "--yes", "--stack", "killed.local")
    again = platform.up("killed.local")
    assert again.changed["killed-openai-invocation"] == "create"
    # The engine keeps a note of the creation whose end it never saw until it is told that nothing is amiss.
    platform.refresh("killed.local", "--clear-pending-creates")
    _complete(platform, "killed")


def test_a_rotation_asked_for_twice_leaves_the_current_key_and_one_on_its_overlap(platform: Rig, cut: Cut) -> None:
    slug, stack = "killed-late", "killed-late.local"
    cut(slug, asking_for_rotation, lambda process, _: _kill_group(process))
    platform.await_first_key(slug)
    first, before = platform.current(slug), platform.last_rotated(slug)
    platform.pulumi("cancel", "--yes", "--stack", stack)
    platform.up(stack)
    platform.await_rotation(slug, before)
    platform.refresh(stack, "--clear-pending-creates")
    (project,) = platform.projects(slug)
    tenant = platform.tenant(slug)
    ends = {key.name: key.expires_at for key in project.live_keys}
    assert ends.keys() == {tenant.key_name(str(first)), tenant.key_name(str(platform.current(slug)))}, "no orphan"
    overlap = 24 * 3600
    left = (ends[tenant.key_name(str(first))] or 0) - platform.cell.openai.now()
    assert overlap - 120 < left <= overlap, "the superseded key lives exactly as long as after any rotation"
    assert platform.up(stack).changed == {}


def test_a_secret_whose_creation_was_cut_off_is_adopted_by_its_arn_and_not_made_again(platform: Rig, cut: Cut) -> None:
    """AWS made it and the engine never heard: up is refused, since the name is taken, until it is imported."""
    slug, stack = "killed-early", "killed-early.local"
    cut(slug, creating_the_secret, lambda process, _: _kill_group(process))
    platform.pulumi("cancel", "--yes", "--stack", stack)
    refused = platform.up(stack, fails=True)
    assert "already exists" in "\n".join(refused.errors), "never a second secret under another name"
    arn = platform.describe(slug)["ARN"]
    urns = {resource["urn"].rpartition("::")[2]: resource["urn"] for resource in platform.resources(stack)}
    platform.pulumi(
        "import",
        "aws:secretsmanager/secret:Secret",
        f"{slug}-key-secret",
        arn,
        "--stack",
        stack,
        "--parent",
        f"place={urns[f'{slug}-key']}",
        "--provider",
        f"aws={urns['local-aws']}",
        "--protect=false",
        "--generate-code=false",
        "--yes",
        "--skip-preview",
    )
    adopted = platform.up(stack)
    assert adopted.changed.get(f"{slug}-key-secret") in (None, "update")
    assert platform.describe(slug)["ARN"] == arn
    platform.refresh(stack, "--clear-pending-creates")
    _complete(platform, slug)
