"""What an upgrade must leave as it is: the identity of each thing in the cell, read from three sides.

The state says which resource is which, AWS and OpenAI say whether it is still the same: a role that was made anew has
its old name and ARN, and another id. Key ids stand for keys; no value is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from demo.report import CheckFailed
from local.cell import LocalCell

REPLACED: Final = frozenset({"replace", "create-replacement", "delete-replaced", "discard-replaced"})
DELETED: Final = frozenset({"delete", "discard"})
KEPT: Final = frozenset(
    {
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
        "aws:kms/key:Key",
        "aws:lambda/function:Function",
        "aws:lambda/invocation:Invocation",
        "aws:secretsmanager/secret:Secret",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
    }
)
"""Types that neither an upgrade nor a step back may replace or delete: without one of them a reader fails, or a key has
no place, no owner or no rotation. The Invocation is the project with its service account. A policy that is replaced is
gone for a moment, in the middle of a pipeline's run."""

Identities = Mapping[str, str]


def identities(cell: LocalCell, bucket: str) -> Identities:
    """Name of each thing to its id. `bucket` holds the state."""
    found: dict[str, str] = {}
    s3 = cell.client("deployer", "s3")
    for file in _pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=".pulumi/stacks/"):
        if file["Key"].endswith(".json"):
            held = json.loads(s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].read())
            resources = held["checkpoint"]["latest"].get("resources") or []
            found |= {one["urn"]: one["id"] for one in resources if one.get("id")}
    iam, secrets = cell.client("administrator", "iam"), cell.client("administrator", "secretsmanager")
    for role in _pages(iam, "list_roles", "Roles"):
        found[f"role {role['RoleName']}"] = f"{role['RoleId']} of {role['CreateDate']}"
    for secret in _pages(secrets, "list_secrets", "SecretList"):
        found[f"secret {secret['Name']}"] = f"{secret['ARN']} of {secret['CreatedDate']}"
    for project in cell.openai.projects():
        accounts = ", ".join(f"{id} {role}" for id, role in sorted(project.service_accounts.items()))
        found[f"project {project.name}"] = f"{project.id} {'archived' if project.archived else 'active'}: {accounts}"
        # Nothing but a rotation ends a key, so that those of the first look may be fewer than those of the next.
        found |= {f"key {key.id}": "valid" for key in project.live_keys}
    return found


def _pages(client: Any, operation: str, items: str, **where: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**where):
        yield from page.get(items, [])


def unchanged(before: Identities, after: Identities, *, may_go: Identities | None = None) -> int:
    """How many are the same. Raises CheckFailed for one that is another now or is gone. What the upgrade itself added
    (`may_go` are those of before the upgrade) is gone after the step back."""
    must_stay = {name for name in before if may_go is None or name in may_go or name.startswith("key ")}
    faults = [f"{name} was {before[name]}, is {after.get(name, 'gone')}" for name in sorted(must_stay)]
    faults = [fault for fault, name in zip(faults, sorted(must_stay), strict=True) if before[name] != after.get(name)]
    if faults:
        raise CheckFailed("; ".join(faults))
    return len(must_stay)


def steps(logs: Path, since: float) -> list[tuple[str, str]]:
    """What the engine did since that moment (Unix seconds), as (operation, URN).

    By the events' own times: one version adds to a stack's log, another begins it anew.
    """
    found: list[tuple[str, str]] = []
    # Not the records of runs beside them.
    for file in [*sorted(logs.rglob("*.up.jsonl")), *sorted(logs.glob("platform-*.jsonl"))]:
        # A last line may not be whole yet.
        for line in file.read_text(encoding="utf-8").rpartition("\n")[0].splitlines():
            event: dict[str, Any] = json.loads(line)
            # The names of the engine's own log, and of the SDK's.
            told = event.get("resourcePreEvent") or event.get("resource_pre_event")
            if told and event["timestamp"] >= since:
                found.append((told["metadata"]["op"], told["metadata"]["urn"]))
    return found


def nothing_replaced(done: list[tuple[str, str]], at_first: Identities) -> list[str]:
    """What was replaced or deleted, and may be. Raises CheckFailed for what may not: what was there `at_first`."""
    gone = [(operation, urn) for operation, urn in done if operation in REPLACED | DELETED]
    kept = [
        f"{operation} {urn}"
        for operation, urn in gone
        if urn.split("::")[2].split("$")[-1] in KEPT and (operation in REPLACED or urn in at_first)
    ]
    if kept:
        raise CheckFailed("; ".join(kept))
    return [f"{operation} {urn.split('::')[-1]}" for operation, urn in gone]
