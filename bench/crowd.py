"""Makes the tenants that exist before one more is added, each in milliseconds instead of seconds.

Each gets what a deployed tenant has: its file, its secret with tags and resource policy, its OpenAI project and service
account, and the state of its stack. Two steps that take time and do not affect other tenants are left out: a run of the
engine, and the first key. The tenants are made with the AWS API as the deployer, with the admin API, and with a copy of
one real stack's state under another name; a table that depends on them says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai

from bench.stage import Stage
from components.iam import resource
from myflux_keys import names
from myflux_keys.aws_names import TenantNames

NOTE = (
    "the tenants already there were made by the AWS and OpenAI APIs and copied state (file, secret, policy, project, "
    "service account, stack), without a run of the engine and without a rotation"
)


def fill(stage: Stage, pattern: str, slugs: Iterable[str]) -> None:
    """Adds a tenant for each of `slugs`. `pattern` is the slug of a deployed tenant, whose state is copied."""
    real = stage.names.tenant(pattern)
    secrets = stage.client("secretsmanager")
    like = secrets.describe_secret(SecretId=real.secret)
    state = state_file(stage.home, real.stack)
    text = state.read_text(encoding="utf-8")
    admin = stage.cell.openai.create_admin_key("crowd")
    with openai.OpenAI(admin_api_key=admin, base_url=stage.cell.openai_url) as client:

        def add(slug: str) -> None:
            stage.write_tenant(slug)
            tenant = stage.names.tenant(slug)
            _secret(secrets, tenant, like, stage.deployers)
            project = client.admin.organization.projects.create(name=tenant.project)
            client.admin.organization.projects.service_accounts.create(
                project.id, name=names.SERVICE_ACCOUNT, create_service_account_only=True
            )
            state_file(stage.home, tenant.stack).write_text(text.replace(pattern, slug), encoding="utf-8")

        with ThreadPoolExecutor(max_workers=4) as pool:
            for _ in pool.map(add, slugs):
                pass


def _secret(secrets: Any, tenant: TenantNames, like: dict[str, Any], deployers: list[str]) -> None:
    own = tenant.tags
    secrets.create_secret(
        Name=tenant.secret,
        Description=like["Description"].replace(like["Name"].split("/")[2], tenant.tenant),
        KmsKeyId=like["KmsKeyId"],
        Tags=[{"Key": tag["Key"], "Value": own.get(tag["Key"], tag["Value"])} for tag in like["Tags"]],
    )
    policy = resource.tenant_secret(
        tenant,
        reader_role=tenant.cell.runtime_role_arn,
        writers=[tenant.cell.role_arn(tenant.cell.rotation_function)],
        deployers=deployers,
        enabled=True,
    )
    secrets.put_resource_policy(SecretId=tenant.secret, ResourcePolicy=json.dumps(policy), BlockPublicPolicy=True)


def state_file(home: Path, stack: str) -> Path:
    """The file of a stack's state in Pulumi's file backend."""
    return home / "state" / ".pulumi" / "stacks" / "myflux-keys" / f"{stack}.json"
