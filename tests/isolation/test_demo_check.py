"""The demo's check of isolation fails on a document that opens a door, and on a cell that does not do as it says."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

import program
import tenancy
from demo import proving
from demo.report import CheckFailed, Report
from demo.scene import Scene
from ops.review.rehearsal import Registered
from tenancy import Cell
from tests.isolation.conftest import broken, without


class RefusesAll:
    """A session and its client for a cell that lets nobody in."""

    def client(self, *_: object, **__: object) -> RefusesAll:
        return self

    def get_secret_value(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")


@pytest.fixture
def scene(cell: Cell) -> Scene:
    nobody = RefusesAll()
    made: Any = SimpleNamespace(
        fleet=tenancy.load(program.ROOT),
        names=cell.names,
        cell=SimpleNamespace(account_id=cell.account_id),
        client=nobody.client,
        as_role=nobody.client,
    )
    return cast(Scene, made)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path / "report.json", Console(file=io.StringIO()))


def deploy(monkeypatch: pytest.MonkeyPatch, resources: Sequence[Registered]) -> None:
    monkeypatch.setattr(proving, "_deployed", lambda scene: resources)


def test_a_deployed_document_that_opens_a_door_fails_the_check_by_its_claim(
    scene: Scene, report: Report, shipped: Sequence[Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(monkeypatch, broken(shipped, "acme-key-policy", without("OnlyWritersFill")))
    with pytest.raises(CheckFailed, match="only-writers-write is broken"):
        proving.isolation_proven(scene, report)


def test_a_cell_that_refuses_whom_the_matrix_lets_in_fails_the_check(
    scene: Scene, report: Report, shipped: Sequence[Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(monkeypatch, shipped)
    with pytest.raises(CheckFailed, match=r"runtime as acme reading myflux/local/acme/openai: the matrix says True"):
        proving.isolation_proven(scene, report)
    assert report.figures["claims_proven"] == 13, "the claims hold: it is the cell that is wrong"
