"""`status` of several cells: one that cannot be read keeps no other back, and is never fine."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from ops.actions import read_reports, stack_states
from ops.actions.health_memory import Memory
from ops.actions.status import CellStatus
from ops.errors import OperationError
from tenancy import Cell
from tests.tenancy.files import REAL, Files

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
FOREIGN = OperationError("cell prod-eu1 is in account 123456789012. Sign in to it. Nothing was changed.")
AWAY = EndpointConnectionError(endpoint_url="https://sts.eu-central-1.amazonaws.com")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = Files(tmp_path / "fleet")
    files.tenant()
    files.cell("prod-eu1", base=REAL)
    files.tenant("globex", tenant="globex", name="Globex", cell="prod-eu1")
    return tmp_path / "fleet"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """What AWS answers instead of a cell's status, by cell."""
    failing: dict[str, Exception] = {}

    def account(cell: Cell, _: str) -> Any:
        return nullcontext(SimpleNamespace(cell=cell))

    def status(account: Any, *_: Any) -> CellStatus:
        if error := failing.get(account.cell.cell):
            raise error
        return CellStatus(NOW, [], [], {})

    monkeypatch.setattr(read_reports, "Account", account)
    monkeypatch.setattr(read_reports, "cell_status", status)
    monkeypatch.setattr(read_reports, "cell_trust", lambda *_: [])
    monkeypatch.setattr(read_reports, "memory_of", lambda _: Memory(None, "health_not_run", "it has not looked"))
    monkeypatch.setattr(stack_states, "stacks", lambda cells, _: {one.cell: None for one in cells})
    return failing


def statuses(root: Path, *slugs: str) -> read_reports.Statuses:
    return read_reports.statuses(root, slugs, None, report=print, progress=lambda _: None)


@pytest.mark.parametrize("error", [FOREIGN, AWAY])
def test_a_cell_that_cannot_be_read_keeps_no_other_back(
    root: Path, world: dict[str, Exception], error: Exception
) -> None:
    world["prod-eu1"] = error
    found = statuses(root)
    assert found.tenants.keys() == {"local"}
    assert found.view.as_of == NOW, "this machine's clock tells nothing of what AWS said"
    away = found.view.cells[1]
    (told,) = away.troubles
    assert (told.severity, told.command) == ("unknown", "myflux-keys status --cell prod-eu1")
    assert "Nothing was changed" not in told.sentence
    assert [(one.slug, one.severity, one.state) for one in away.tenants] == [("globex", "unknown", "not checked")]


def test_where_no_cell_can_be_read_the_first_reason_is_the_error(root: Path, world: dict[str, Exception]) -> None:
    world |= {"local": AWAY, "prod-eu1": FOREIGN}
    with pytest.raises(EndpointConnectionError):
        statuses(root)
    with pytest.raises(OperationError, match="Sign in to it"):
        statuses(root, "globex")
