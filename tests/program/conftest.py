"""One cell, its platform and the four tenants that ship, made once by the real engine for every test here.

A test that changes something has a tenant of its own, so that none depends on the order in which they run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.leaks import files, search
from local.cell import LocalCell
from myflux_keys import KeyReader
from tests.program.rig import CELL, Rig, Run

SHIPPED: tuple[str, ...] = ("acme", "fjord", "globex", "initech")
MANAGED = SHIPPED[:3]


@pytest.fixture(scope="session")
def empty_cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Nothing deployed yet. At the end, whatever the engine printed and kept in all these tests holds no key."""
    folder = tmp_path_factory.mktemp("program")
    cell = LocalCell.start(folder / "cell")
    try:
        rig = Rig(cell, folder / "fleet", folder / "said")
        rig.said.mkdir()
        rig.another_fleet(rig.fleet)
        # The pace that OpenAI allows is for the emulator's and the functions' tests; here it would only be waited for.
        cell.openai.settings(admin_requests_per_minute=0)
        yield rig
        keys = {key.id: key.value for key in cell.openai.minted()}
        written = files([*folder.rglob("*")])
        leaks = [f"{leak.where} ({leak.encoding})" for leak in search(written, keys)]
        assert not leaks, f"keys stand in {leaks}"
    finally:
        cell.stop()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Before:
    """What was seen while the cell was still empty."""

    platform: Run
    tenant: Run


@pytest.fixture(scope="session")
def before(empty_cell: Rig) -> Before:
    return Before(empty_cell.preview(CELL), empty_cell.preview("acme.local", fails=True))


@pytest.fixture(scope="session")
def platform(empty_cell: Rig, before: Before) -> Rig:
    """The cell with its platform and its admin key."""
    empty_cell.up(CELL)
    empty_cell.store_admin_key()
    return empty_cell


@dataclass(frozen=True)
class Shipped:
    rig: Rig
    ups: dict[str, Run]


@pytest.fixture(scope="session")
def shipped(platform: Rig) -> Shipped:
    """The tenants that ship, two at a time, each managed one with its first key."""
    stacks = [platform.tenant(slug).stack for slug in SHIPPED]
    for stack in stacks:
        platform.make(stack)
    with ThreadPoolExecutor(max_workers=2) as two:
        ups = dict(zip(SHIPPED, two.map(platform.up, stacks), strict=True))
    for slug in MANAGED:
        platform.await_first_key(slug)
    return Shipped(platform, ups)


@pytest.fixture
def reader(platform: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., KeyReader]]:
    """Makes readers with the runtime's credentials, as the runtime does."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", platform.cell.aws_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made: list[KeyReader] = []

    def make(**options: str) -> KeyReader:
        made.append(KeyReader(CELL, session=platform.cell.session("runtime"), **options))  # pyright: ignore[reportArgumentType]
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def scratch(tmp_path: Path, platform: Rig) -> Path:
    """Copies of tenants/ and cells/ that a test may break: the engine reads them all, whichever stack it runs."""
    return platform.another_fleet(tmp_path / "fleet")
