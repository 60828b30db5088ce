"""The check that the sweep revokes an orphaned key, and reports a foreign key without revoking it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import openai

from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene
from myflux_keys import names

_LATER = 2 * 3600
"""Seconds. The sweep keeps younger keys: one may belong to a running rotation."""
_FOREIGN = "somebody's, made by hand"


def sweep_finds_orphans(scene: Scene, report: Report) -> str:
    tenant = scene.managed[0]
    live = scene.reader.get(tenant, fresh=True).key_id
    admin = scene.cell.openai.create_admin_key("the demo's, for planting", expires_in_seconds=24 * 3600)
    with openai.OpenAI(admin_api_key=admin, base_url=scene.cell.openai_url, max_retries=0) as client:
        orphan, foreign = _plant(scene, tenant, client)
        scene.cell.advance(_LATER)
        planned = _sweep(scene, "--dry-run")
        _require(planned[orphan] == ("orphan", "revoke"), f"the plan says {planned[orphan]} of the orphan")
        _require({orphan, foreign, live} <= _living(scene), "a dry run revoked a key")
        swept = _sweep(scene)
        living = _living(scene)
        _require(orphan not in living, "the orphaned key is still valid")
        _require({foreign, live} <= living, "the sweep revoked a key that it must keep")
        _require(swept[foreign] == ("foreign", "report"), f"the foreign key was reported as {swept[foreign]}")
        _require(orphan not in _sweep(scene), "a second sweep finds the orphan again")
        project = next(key.project_id for key in scene.cell.openai.live_keys() if key.id == foreign)
        client.admin.organization.projects.api_keys.delete(foreign, project_id=project)
    report.figures["keys_compared_by_the_sweep"] = len(swept)
    return f"an orphaned key of {tenant} revoked, a person's key reported, {len(swept) - 2} other keys kept"


def _plant(scene: Scene, tenant: str, client: openai.OpenAI) -> tuple[str, str]:
    """Ids of a key as a crashed rotation leaves it, and of one that a person made in the tenant's project."""
    prefix = names.key_name(CELL, tenant, "")
    ours = next(key for key in scene.cell.openai.live_keys() if key.name.startswith(prefix) and key.service_account_id)
    orphan = client.admin.organization.projects.service_accounts.api_keys.create(
        str(ours.service_account_id),
        project_id=ours.project_id,
        name=names.key_name(CELL, tenant, str(uuid.uuid4())),
        expires_in_seconds=30 * 86_400,
    ).id
    scene.cell.openai.create_user_key(ours.project_id, _FOREIGN)
    return orphan, next(key.id for key in scene.cell.openai.live_keys() if key.name == _FOREIGN)


def _sweep(scene: Scene, *options: str) -> dict[str, tuple[str, str]]:
    """The command's findings, by key: (found, action). It exits with 1, since a foreign key needs a person."""
    said: dict[str, Any] = json.loads(scene.command("sweep", "--cell", CELL, "--json", *options, expect=1))
    return {entry["key_id"]: (entry["found"], entry["action"]) for entry in said["cells"][0]["plan"]}


def _living(scene: Scene) -> set[str]:
    return {key.id for key in scene.cell.openai.live_keys()}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckFailed(otherwise)
