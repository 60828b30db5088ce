"""`pulumi import` typed by a person against the local cell: the resource is taken over and described."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from local import environment
from local.cell import LocalCell
from tests.engine.tiny_project import Project

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_what_was_made_by_hand_can_be_imported_and_is_described(project: Project, tmp_path: Path) -> None:
    cell = LocalCell.start(tmp_path / "cell")
    try:
        name = "myflux-local-by-hand"
        tags = {"tenant": "_platform", "cell": "local", "managed-by": "myflux-keys"}
        url = cell.client("deployer", "sqs").create_queue(QueueName=name, tags=tags)["QueueUrl"]
        ours = {k: v for k, v in environment.compute(cell).values.items() if k.startswith("AWS_")}
        reaching = dataclasses.replace(project, environment={**project.environment, **ours, "NO_PROXY": "127.0.0.1"})
        said = reaching.pulumi("import", "aws:sqs/queue:Queue", "by-hand", url, "--yes", "--skip-preview")
        assert "1 imported" in said
        assert "Please copy the following" in said
        assert f'#     name = "{name}"' in said, "the reader needs what to write into the program"
        (queue,) = [r for r in reaching.resources() if r["type"] == "aws:sqs/queue:Queue"]
        assert queue["inputs"]["name"] == name
    finally:
        cell.stop()
