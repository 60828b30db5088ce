"""Checks that a second `up` changes nothing, and that `destroy` leaves nothing."""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene
from ops.stacks.order import deploy_order, destroy_order


def second_up_unchanged(scene: Scene, report: Report) -> str:
    started = time.monotonic()
    order = deploy_order(scene.fleet, scene.fleet.cells[CELL])
    for stack in order:
        outcome = scene.engine.up(stack)
        if outcome.changed:
            raise CheckFailed(f"a second up of {stack} changed {outcome.changes}")
        if not outcome.changes.get("same"):
            raise CheckFailed(f"a second up of {stack} compared no resource: {outcome.changes}")
    report.figures["unchanged_up_seconds"] = round((time.monotonic() - started) / len(order), 1)
    return f"{len(order)} stacks, each after its rotations: unchanged"


def fleet_up(scene: Scene, report: Report) -> str:
    """The same by one command and two workers, as for a fleet of any size."""
    started = time.monotonic()
    said: dict[str, Any] = json.loads(scene.command("up", "--cell", CELL, "--no-marks", "--workers", "2", "--json"))
    stacks = deploy_order(scene.fleet, scene.fleet.cells[CELL])
    if sorted(said["stacks"]) != sorted(stacks):
        raise CheckFailed(f"of {stacks} it deployed {sorted(said['stacks'])}")
    moved = {stack: fields["changes"] for stack, fields in said["stacks"].items() if set(fields["changes"]) != {"same"}}
    if moved:
        raise CheckFailed(f"it changed {moved}")
    report.figures["fleet_up_seconds"] = round(time.monotonic() - started, 1)
    return f"`myflux-keys up --cell {CELL}`: {len(stacks)} stacks, platform and canaries first, on 2 workers"


def destroy_leaves_nothing(scene: Scene) -> str:
    for stack in destroy_order(scene.fleet, scene.fleet.cells[CELL]):
        scene.engine.destroy(stack, remove=True)
    live = scene.cell.openai.live_keys()
    if live:
        raise CheckFailed(f"{len(live)} keys still live at OpenAI: {', '.join(key.name for key in live)}")
    standing = [p.name for p in scene.cell.openai.projects() if not p.archived and p.name.startswith("myflux-")]
    if standing:
        raise CheckFailed(f"projects not archived: {', '.join(standing)}")
    leftovers = list(_leftovers(scene))
    if leftovers:
        raise CheckFailed(f"left in AWS: {', '.join(leftovers)}")
    return "no valid key, every project archived, every secret scheduled for deletion, no role, function or queue left"


def _leftovers(scene: Scene) -> list[str]:
    def client(service: str) -> Any:
        return scene.client("administrator", service)

    names = scene.names
    found = [f"secret {s['Name']}" for s in client("secretsmanager").list_secrets()["SecretList"]]
    found += [
        f"role {r['RoleName']}" for r in client("iam").list_roles()["Roles"] if r["RoleName"].startswith("myflux-")
    ]
    # Below /users/ are those of the cell's own users.
    policies = client("iam").list_policies(Scope="Local")["Policies"]
    found += [f"policy {p['PolicyName']}" for p in policies if p["Path"] != "/users/"]
    found += [f"function {f['FunctionName']}" for f in client("lambda").list_functions()["Functions"]]
    found += [f"log group {g['logGroupName']}" for g in client("logs").describe_log_groups()["logGroups"]]
    found += [f"queue {url}" for url in client("sqs").list_queues().get("QueueUrls", [])]
    found += [f"topic {t['TopicArn']}" for t in client("sns").list_topics()["Topics"]]
    found += [f"alarm {a['AlarmName']}" for a in client("cloudwatch").describe_alarms()["MetricAlarms"]]
    found += [f"dashboard {d['DashboardName']}" for d in client("cloudwatch").list_dashboards()["DashboardEntries"]]
    found += [f"bucket {b['Name']}" for b in client("s3").list_buckets()["Buckets"]]
    found += [f"rule {r['Name']}" for r in client("events").list_rules()["Rules"]]
    found += [f"alias {a['AliasName']}" for a in client("kms").list_aliases()["Aliases"] if "myflux" in a["AliasName"]]
    for tenant in sorted(scene.fleet.tenants):
        secret = names.tenant(tenant).secret
        try:
            described = client("secretsmanager").describe_secret(SecretId=secret)
        except ClientError as error:
            found.append(f"secret {secret}: deleted at once, and cannot be restored ({error})")
        else:
            if "DeletedDate" not in described:
                found.append(f"secret {secret} is not scheduled for deletion")
    return found
