"""Writes what a machine can write: the command's help, the JSON Schemas, the component package's arguments and
schema, the IAM documents, the access matrix, the health function's catalogue, the connect page's prices.

`python -m docs.generate` writes them. `--check` changes nothing, and exits with 1 if one is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import typer.main

from components.iam import copies, federation, handover, health, identity, resource
from components.iam.bootstrap_permissions import bootstrap_deletion, bootstrap_permissions
from components.iam.boundary import permissions_boundary
from components.iam.deployer_permissions import deployer_looks, deployer_permissions
from components.iam.deployer_state import State, deployer_state
from components.iam.deployer_trust import Job, deployer_trust
from components.iam.people import people_limit
from components.iam.state_store import state_bucket, state_key
from docs import access_matrix, package_arguments
from docs.offer import offer, page_prices
from docs.scale import scale
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ALL_FUNCTIONS, PROMOTER, ROTATION
from ops.cli.main import app
from ops.stacks.backend import BOOTSTRAP, PROJECT
from policies.guardrails import rules_page
from tenancy import schema
from tenancy.pipeline import AWS_AUDIENCE, GITHUB_ISSUER, GitHub

DOCS = Path(__file__).resolve().parent
_CELL = CellNames("prod-eu1", "111122223333", "eu-central-1")
_JOB = GitHub(repository="myflux/keys", owner_id=1234567, repository_id=89012345, environment="prod-eu1")
_DEPLOYER = "arn:aws:iam::111122223333:role/deployer"
_APPLICATION = "arn:aws:iam::111122223333:role/myflux-application"
_PERSON = "arn:aws:iam::111122223333:user/ana"
_STATE = State("myflux-state", None, "myflux-keys")
_REPLICA = copies.Replica("eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
_ABOUT_COPIES = """## Replicas in other Regions

With `replicas: [{region: eu-west-1, kms_key_arn: …}]` in the cell's file. A replica has its secret's tags and policy,
so the same principals are denied, and `enabled: false` applies to it too.

- **Granted**: the runtime reads its own tenant's replicas and decrypts them with the keys that the file names. The
  rotation, and the promoter of a cell with `connect`, may let Secrets Manager encrypt with these keys, in case AWS
  needs that when it replicates a new version.
- **Not granted**: no function, deployer or pipeline reads or decrypts a replica. Admin keys are not replicated: while
  the cell's Region is down, keys can be read, but not minted, rotated or revoked.
- **By hand, before the first `up`**: make the KMS key in the replicas' Region, with the policy below. Besides the
  runtime it names the rotation, the promoter, which needs no `connect` to be named, the cell's deployers, and the
  pipeline's role if there is one.
- **A Region that is added later**: to replicate an existing value, AWS needs `kms:Decrypt` on the secret's key from the
  caller, and no deployer has it. The tenant's next rotation writes a new version, which is replicated: run
  `myflux-keys rotate TENANT`, then check that `aws secretsmanager describe-secret` shows `InSync`.
- **The reader**: `KeyReader("prod-eu1", region="eu-west-1")`.
"""
_ABOUT_TOKENS = """## Tenants without a key

With `federation: {enabled: true}` in the cell's file. A session of the runtime role, which is tagged with a tenant,
gets a token for that tenant: of at most 15 minutes, for the cell's audience alone. OpenAI exchanges it where the
tenant's rule names this role and this tag ([decision 43](adr/0043-no-key-at-all.md)).

- **Granted**: the runtime asks for such a token, and reads its own tenant's identity, which holds ids. The health
  function becomes the runtime, one tenant a session: it reads every tenant's key too.
- **Not granted**: nobody may put tags of their own choice into a token (`sts:TagGetWebIdentityToken`), and no function,
  deployer or pipeline gets a token as itself.
- **The account's federation**: the person who deploys the platform enables it. A pipeline that deploys everything may
  not: `issuer` in the cell's file says that it is enabled.
- **The runtime role's tags**: without `tenant`, since AWS does not say whether a token has them where the session has
  none.
"""
_GENERATED = "<!-- Written by `python -m docs.generate`. Do not edit. -->\n\n"


def cli_help() -> str:
    """Every command's own `--help`."""
    root = typer.main.get_command(app)
    parts = [_GENERATED, "# The `myflux-keys` command\n"]

    def describe(command: Any, path: str) -> None:
        context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
        parts.append(f"\n## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
        for name, child in sorted(getattr(command, "commands", {}).items()):
            describe(child, f"{path} {name}")

    describe(root, "myflux-keys")
    return "".join(parts)


def iam_documents() -> str:
    """The documents as they are deployed for an example cell and tenant."""
    tenant = _CELL.tenant("acme")
    rotation = _CELL.function_role_arn(ROTATION)
    chapters: list[tuple[str, identity.Document]] = [
        ("Permissions boundary of every role that reads keys", permissions_boundary(_CELL)),
        *((one.title, identity.function_permissions(one, _CELL)) for one in ALL_FUNCTIONS),
        ("Runtime: who becomes it", identity.runtime_trust([_APPLICATION], identity.any_tenant())),
        ("Runtime: what it reads", identity.runtime_read(_CELL)),
        ("Hand-over: who becomes it", handover.handover_trust([_PERSON])),
        ("Hand-over: what it reads", handover.handover_read(_CELL)),
        ("Dedicated tenant: its trust", identity.runtime_trust([_APPLICATION], identity.only_tenant(tenant))),
        ("Dedicated tenant: what it reads", identity.dedicated_read(tenant)),
        (
            "Pipeline: who may assume its role",
            deployer_trust(_CELL, Job(GITHUB_ISSUER, AWS_AUDIENCE, _JOB.subject)),
        ),
        ("Pipeline: what it reads", deployer_looks(_CELL)),
        ("Pipeline that deploys tenants: what it changes", deployer_permissions(_CELL, "tenants")),
        ("Pipeline that deploys tenants: its stacks' state", deployer_state(_CELL, "tenants", _STATE)),
        ("Pipeline that deploys everything: what it changes", deployer_permissions(_CELL, "everything")),
        ("Pipeline that deploys everything: its stacks' state", deployer_state(_CELL, "everything", _STATE)),
        ("Bootstrap: what a person needs", bootstrap_permissions(_CELL, BOOTSTRAP, GITHUB_ISSUER)),
        ("Bootstrap: what a person needs to delete a cell", bootstrap_deletion(_CELL, GITHUB_ISSUER)),
        (
            "People who deploy: policy and boundary of their role, boundary of a pipeline's",
            people_limit(_CELL, PROJECT),
        ),
        ("The bucket of the state", state_bucket(_CELL)),
        ("The KMS key of the state", state_key(_CELL)),
        (
            "A tenant's secret",
            resource.tenant_secret(
                tenant, reader_role=_CELL.runtime_role_arn, writers=[rotation], deployers=[_DEPLOYER], enabled=True
            ),
        ),
        (
            "A tenant's secret, with a consumer for whom a person pastes the key",
            resource.tenant_secret(
                tenant,
                reader_role=_CELL.runtime_role_arn,
                writers=[rotation],
                deployers=[_DEPLOYER],
                enabled=True,
                handed_over=True,
            ),
        ),
        ("The admin key's secret", resource.admin_secret(_CELL, deployers=[_DEPLOYER])),
        (
            "The cell's KMS key",
            resource.cell_key(_CELL, deployers=[_DEPLOYER], governors=[_DEPLOYER], handover=True),
        ),
    ]
    text = _GENERATED + "# IAM documents\n\nAs deployed for the cell `prod-eu1` and its tenant `acme`.\n"
    text += (
        "\nA pipeline's statements list several services, to fit AWS's limits. An action applies to its own service.\n"
    )
    return text + "".join(_chapter(*one) for one in chapters) + _copies() + _tokens()


def _chapter(title: str, content: identity.Document, level: str = "##") -> str:
    return f"\n{level} {title}\n\n```json\n{json.dumps(content, indent=2)}\n```\n"


def _copies() -> str:
    """What differs for a cell whose file names replicas."""
    writers, replicas = [_CELL.function_role_arn(one) for one in (ROTATION, PROMOTER)], [_REPLICA]
    chapters: list[tuple[str, identity.Document]] = [
        ("Runtime: what it reads", identity.runtime_read(_CELL, replicas)),
        (
            "Rotation function and promoter: additional permissions",
            identity.document(*copies.rotation_writes_copies(_CELL, replicas)),
        ),
        ("Permissions boundary: additional permissions", identity.document(*copies.bounded_copies(_CELL, replicas))),
        ("The replicas' KMS key", copies.copys_key(_CELL, _REPLICA, writers=writers, makers=[_DEPLOYER])),
    ]
    return f"\n{_ABOUT_COPIES}" + "".join(_chapter(*one, level="###") for one in chapters)


def _tokens() -> str:
    """What differs for a cell whose file enables federation."""
    callers = federation.runtime_callers(_CELL, [_APPLICATION], federation=True)
    bucket = health.health_bucket(_CELL, deployers=[_DEPLOYER], federation=True)
    chapters: list[tuple[str, identity.Document]] = [
        ("Runtime: additional permissions", identity.document(*federation.runtime_without_key(_CELL))),
        ("Runtime: who becomes it", identity.runtime_trust(callers, identity.any_tenant())),
        ("Health function: additional permissions", identity.document(federation.become_runtime(_CELL))),
        ("The bucket of declarations and identities", bucket),
    ]
    return f"\n{_ABOUT_TOKENS}" + "".join(_chapter(*one, level="###") for one in chapters)


def _json(make: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    return lambda: json.dumps(make(), indent=2, ensure_ascii=False) + "\n"


def _package_schema() -> dict[str, Any]:
    # Imported when the module of its arguments, which stands first in the list below, is written.
    from component_package.plugin import Package

    return json.loads(Package().schema or "")


GENERATED: dict[str, Callable[[], str]] = {
    "../component_package/arguments.py": package_arguments.arguments,
    "../functions/connect/page/prices.json": _json(page_prices),
    "../functions/health/catalogue.json": _json(offer),
    "access-matrix.md": lambda: _GENERATED + access_matrix.page(),
    "access-matrix.svg": access_matrix.picture,
    "cli.md": cli_help,
    "iam.md": iam_documents,
    "policies.md": lambda: _GENERATED + rules_page.rules_page(),
    "scale.md": lambda: _GENERATED + scale(),
    "schema/tenant.schema.json": _json(schema.tenant_schema),
    "schema/cell.schema.json": _json(schema.cell_schema),
    "schema/package.schema.json": _json(_package_schema),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a document is out of date")
    check = parser.parse_args().check
    stale: list[str] = []
    for name, make in GENERATED.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.resolve().relative_to(DOCS.parent).as_posix())
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale and check:
        sys.exit(f"out of date: {', '.join(stale)}. Write them with `python -m docs.generate`.")


if __name__ == "__main__":
    main()
