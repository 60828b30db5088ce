"""Checks from an empty machine to keys in place."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene, wait_until
from ops.cli.options import ROOT


def cell_up(scene: Scene) -> str:
    scene.open()
    return f"AWS on {scene.cell.aws_url}, OpenAI on {scene.cell.openai_url}, both empty"


def platform_up(scene: Scene, report: Report) -> str:
    outcome = scene.engine.up(CELL)
    report.figures["platform_up_seconds"] = round(outcome.seconds, 1)
    return f"pulumi up: {outcome.changes.get('create', 0)} resources; the admin key's secret is empty"


def admin_key_stored(scene: Scene) -> str:
    """Pipes one command's output to the other's input: this process does not see the key."""
    maker = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "local", "openai-admin-key", "--home", str(scene.home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        said = scene.command("admin-key", "set", "--cell", CELL, stdin=maker.stdout)
    finally:
        if maker.stdout:
            maker.stdout.close()
        maker.wait()
    return said.strip()


def tenants_up(scene: Scene, report: Report) -> str:
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as two:
        outcomes = list(two.map(scene.engine.up, scene.stacks))
    seconds = time.monotonic() - started
    report.figures["tenants"] = len(outcomes)
    report.figures["seconds_per_tenant"] = round(seconds / len(outcomes), 1)
    created = sum(outcome.changes.get("create", 0) for outcome in outcomes)
    return f"{len(outcomes)} tenants by pulumi up, {created} resources, two at a time"


def first_keys_minted(scene: Scene, report: Report) -> str:
    secrets = scene.client("deployer", "secretsmanager")
    started = time.monotonic()

    def has_a_key(tenant: str) -> bool:
        described = secrets.describe_secret(SecretId=scene.names.tenant(tenant).secret)
        return "LastRotatedDate" in described

    for tenant in scene.managed:
        wait_until(lambda tenant=tenant: has_a_key(tenant), f"the first key of {tenant}")
    report.figures["first_keys_wait_seconds"] = round(time.monotonic() - started, 1)
    for tenant in scene.managed:
        project = scene.names.tenant(tenant).project
        live = [key for key in scene.cell.openai.live_keys() if key.name.startswith(f"{project}-")]
        if len(live) != 1:
            raise CheckFailed(f"{tenant} has {len(live)} live keys at OpenAI instead of one")
    return f"{len(scene.managed)} keys, one for each managed tenant, each with an expiry"


def policies_pass(scene: Scene) -> str:
    """The platform's stack and one tenant's, since all tenants' stacks have the same form."""
    judged = [CELL, scene.stacks[0]]
    with ThreadPoolExecutor(max_workers=2) as two:
        list(two.map(scene.engine.judge, judged))
    return f"{' and '.join(judged)} checked by the policy pack: no mandatory rule fails"
