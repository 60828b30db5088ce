"""Checks of a rotation while calls run, and of the old key's end."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import openai

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

from demo.calling import Callers
from demo.report import CheckFailed, Report
from demo.scene import READER_TTL, Scene, wait_until
from myflux_keys.version_labels import pending_version

_SCHEDULER_LOOKS = 1.0
"""Seconds until the cell's scheduler, which checks four times a second, has certainly read a changed clock."""


def rotation_zero_downtime(scene: Scene, report: Report) -> str:
    tenant = scene.managed[0]
    secret = scene.names.tenant(tenant).secret
    deployer = scene.client("deployer", "secretsmanager")
    before = last_rotated(deployer, secret)
    with Callers(scene, tenant, scene.reader) as callers:
        wait_until(lambda: callers.answered >= 4 or bool(callers.failures), "the first calls")
        started = time.monotonic()
        deployer.rotate_secret(SecretId=secret)
        wait_until(lambda: last_rotated(deployer, secret) != before, f"{tenant}'s rotation")
        report.figures["rotation_seconds"] = round(time.monotonic() - started, 2)
        in_flight = callers.answered
        # Long enough for every cached copy to be replaced, and for calls on the new key.
        time.sleep(READER_TTL * 2)
        wait_until(lambda: callers.answered >= in_flight + 4 or bool(callers.failures), "calls on the new key")
    if callers.failures:
        raise CheckFailed(f"{len(callers.failures)} calls failed, the first: {callers.failures[0]}")
    if scene.reader.get(tenant).key_id == scene.first_keys[tenant].key_id:
        raise CheckFailed("the secret was rotated, but the reader still returns the first key")
    report.figures["calls_through_the_rotation"] = callers.answered
    return f"{callers.answered} calls during a rotation of {tenant}: none failed; a new key at the end"


def old_key_dies(scene: Scene, report: Report) -> str:
    tenant = scene.managed[0]
    overlap = scene.overlap_hours(tenant)
    old = scene.first_keys[tenant]
    if not answers(scene, old.reveal(), old.models[0]):
        raise CheckFailed(f"the old key was refused at once: running calls did not get {overlap} h")
    scene.cell.advance((overlap - 1) * 3600)
    if not answers(scene, old.reveal(), old.models[0]):
        raise CheckFailed(f"the old key was refused after {overlap - 1} h of its {overlap}")
    scene.cell.advance(2 * 3600)
    if answers(scene, old.reveal(), old.models[0]):
        raise CheckFailed(f"the old key still answers {overlap + 1} h after the rotation")
    new = scene.reader.get(tenant, fresh=True)
    if not answers(scene, new.reveal(), new.models[0]):
        raise CheckFailed("the new key is refused")
    report.figures["overlap_hours"] = overlap
    return f"the old key was valid {overlap - 1} h after the rotation, and refused after {overlap + 1} h (cell's clock)"


def crash_recovery(scene: Scene, report: Report) -> str:
    """Injects faults at OpenAI during rotations: Secrets Manager repeats each rotation with the same token until it
    succeeds."""
    tenant = scene.managed[1]
    names = scene.names.tenant(tenant)
    control = scene.cell.openai
    project = next(p.id for p in control.projects() if p.name == names.project)
    # The clock was moved: a rotation of the tenant's own slot may still run.
    await_quiet(scene, tenant)
    known = {scene.reader.get(tenant, fresh=True).key_id} | {key.id for key in control.live_keys(project)}
    try:
        for fault, method, path in FAULTS:
            _strike(scene, tenant, fault, method, path)
            key = scene.new_reader().get(tenant)
            known.add(key.key_id)
            lost = [live.name for live in control.live_keys(project) if live.id not in known]
            if lost:
                raise CheckFailed(f"after {fault} there are orphaned keys: {', '.join(lost)}")
            if not answers(scene, key.reveal(), key.models[0]):
                raise CheckFailed(f"after {fault} the current key of {tenant} is refused")
    finally:
        # A check that fails must not make the next ones fail too.
        control.clear_faults()
    report.figures["rotations_struck_by_faults"] = len(FAULTS)
    return f"{len(FAULTS)} rotations of {tenant} with an injected fault: each finished, no key lost or orphaned"


def _strike(scene: Scene, tenant: str, fault: str, method: str, path: str) -> None:
    """Runs one rotation of `tenant` to its end, with `fault` at its first call `method` `path`."""
    secret = scene.names.tenant(tenant).secret
    deployer = scene.client("deployer", "secretsmanager")
    before = last_rotated(deployer, secret)
    scene.cell.openai.fault(fault, method=method, path=path)
    deployer.rotate_secret(SecretId=secret)
    wait_until(lambda: last_rotated(deployer, secret) != before, f"{tenant}'s rotation after {fault}")
    if scene.cell.openai.faults():
        raise CheckFailed(f"{fault} was never injected: the rotation made no call {method} {path}")


def await_quiet(scene: Scene, *tenants: str) -> None:
    """Waits until the cell's scheduler has read the changed clock, and rotations that it then starts have ended."""
    deployer = scene.client("deployer", "secretsmanager")

    def quiet(tenant: str) -> bool:
        described = deployer.describe_secret(SecretId=scene.names.tenant(tenant).secret)
        return pending_version(described.get("VersionIdsToStages", {})) is None

    time.sleep(_SCHEDULER_LOOKS)
    for tenant in tenants:
        wait_until(lambda tenant=tenant: quiet(tenant), f"{tenant}'s own slot")


FAULTS = (
    ("dropped_after_apply", "POST", r"/service_accounts/[^/]+/api_keys$"),
    ("truncated", "POST", r"/service_accounts/[^/]+/api_keys$"),
    ("500", "GET", r"/v1/models/"),
    ("dropped", "GET", r"/api_keys"),
)
"""The mint's answer is lost; it is cut off; the proof fails; the look-up fails."""


def last_rotated(secrets: SecretsManagerClient, secret: str) -> datetime | None:
    """When AWS saw the last rotation end. AWSCURRENT moves before, while the old key is still to be shortened."""
    return secrets.describe_secret(SecretId=secret).get("LastRotatedDate")


def answers(scene: Scene, key: str, model: str) -> bool:
    with openai.OpenAI(api_key=key, base_url=scene.cell.openai_url, max_retries=0) as client:
        try:
            client.responses.create(model=model, input="Is anybody there?")
        except openai.AuthenticationError:
            return False
    return True
