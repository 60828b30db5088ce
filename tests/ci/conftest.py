"""One cell whose platform a person deployed, with a role for its pipeline; and that pipeline's repository."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing

import pytest

from local import addresses
from local.aws.server import STATE_KEY
from local.cell import LocalCell
from tests.ci.repository import Repository
from tests.ci.stand_in import AUDIENCE, GitHubStandIn
from tests.program.rig import CELL, ROOT, Rig

SUBJECT = "repo:myflux@1234567/keys@89012345:environment:local"
"""As GitHub writes it for a repository made since 15 July 2026."""
IDS = "owner_id: 1234567, repository_id: 89012345"
BUCKET = "myflux-state-local"
"""In a file before a cell runs."""
PIPELINE = f"""connect: {{enabled: true}}
state: {{bucket: {BUCKET}, kms_key: "{STATE_KEY}"}}
pipeline:
  github: {{repository: myflux/keys, {IDS}, environment: local}}
"""
"""With connect, which the pipeline compares every night and a person deploys."""


@pytest.fixture(scope="session")
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn.serving() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """tenants/ and cells/ on the branch main of a bare repository. No cell runs yet."""
    made = Repository.of(ROOT, tmp_path_factory.mktemp("repository"))
    cell = made.checkout / "cells" / f"{CELL}.yaml"
    made.commit("A pipeline deploys the cell", {cell: cell.read_text(encoding="utf-8") + PIPELINE})
    return made


@pytest.fixture(scope="session")
def bootstrapped(
    tmp_path_factory: pytest.TempPathFactory, repository: Repository, github: GitHubStandIn
) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("pipelines")
    cell = LocalCell.start(folder / "cell")
    try:
        rig = Rig(cell, repository.checkout, folder / "said")
        rig.said.mkdir()
        cell.openai.settings(admin_requests_per_minute=0)
        # Where a pipeline keeps it: the role's own rights must suffice for that too.
        rig.state = rig.state_in_s3(BUCKET, versioned=True)
        addresses.publish(cell.home, github.issuer.host, github.issuer.url)
        with closing(rig.client("administrator", "iam")) as iam:
            iam.create_open_id_connect_provider(Url=f"https://{github.issuer.host}", ClientIDList=[AUDIENCE])
        rig.up(CELL)
        rig.store_admin_key()
        yield rig
    finally:
        cell.stop()
        shutil.rmtree(folder)
