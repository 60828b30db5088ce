"""A reader that is closed while it fetches leaves no connection open: the fetch closes what it made, when it ends."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from myflux_keys import KeyReader
from myflux_keys.access_token import Token
from tests.keyless.deployed import CELL, Deployed
from tests.keyless.test_reader_forks import in_a_child

CALLS = ["GetCallerIdentity", "AssumeRole", "GetSecretValue", "GetObject", "GetWebIdentityToken"]
"""All that a first read of a federated tenant asks AWS."""


class Fetch:
    """A reader's own fetch in the background, held before it calls `operation` of AWS until `go`."""

    def __init__(self, deployed: Deployed, operation: str) -> None:
        self.came, self.go = threading.Event(), threading.Event()
        self.tenant = deployed.federated()
        session = deployed.cell.session("runtime")
        session.events.register(f"before-call.*.{operation}", self._hold)
        self.reader = KeyReader(CELL, session=session, clock=deployed.clock)
        self.outcomes: list[object] = []
        self._thread = threading.Thread(target=lambda: self.outcomes.append(self.reader._credential(self.tenant.slug)))

    @contextmanager
    def held(self) -> Generator[KeyReader]:
        self._thread.start()
        assert self.came.wait(600)
        try:
            yield self.reader
        finally:
            self.go.set()
            self._thread.join()

    def _hold(self, **_: Any) -> None:
        self.came.set()
        assert self.go.wait(600)


def sockets() -> int:
    """This process's, open."""
    found = 0
    for descriptor in Path("/dev/fd").iterdir():
        try:
            found += stat.S_ISSOCK(os.fstat(int(descriptor.name)).st_mode)
        except OSError:  # That of the listing itself.
            continue
    return found


@pytest.mark.parametrize("operation", CALLS)
def test_a_fetch_that_ends_after_close_leaves_nothing_open(deployed: Deployed, operation: str) -> None:
    fetch = Fetch(deployed, operation)
    before = sockets()
    with fetch.held() as reader:
        reader.close()
    assert [type(outcome) for outcome in fetch.outcomes] == [Token], "who waited has its answer"
    assert sockets() == before
    assert reader._sessions._sessions == {}, "and no session is kept"


def test_a_reader_that_is_used_again_while_an_older_fetch_runs_is_closed_once_more(deployed: Deployed) -> None:
    fetch, other = Fetch(deployed, "GetWebIdentityToken"), deployed.keyed()
    before = sockets()
    with fetch.held() as reader:
        reader.close()
        key = reader.get(other.slug)
    assert sockets() == before
    assert reader.get(other.slug) is key, "what was read after close stays"
    reader.close()
    assert sockets() == before


def test_a_forked_process_closes_its_own_while_the_parents_fetch_runs(deployed: Deployed) -> None:
    fetch, other = Fetch(deployed, "GetWebIdentityToken"), deployed.keyed()

    def closes() -> list[int]:
        before = sockets()
        fetch.reader.get(other.slug)
        opened = sockets()
        fetch.reader.close()
        return [opened - before, sockets() - before]

    with fetch.held() as reader:
        opened, left = in_a_child(closes)
        reader.close()
    assert opened > 0
    assert left == 0


def test_tenants_that_are_first_read_at_once_share_one_client_that_is_closed(deployed: Deployed) -> None:
    """Two would be made if each looked before either had made one, and one of them would be closed by nobody."""
    tenants = [deployed.keyed(), deployed.keyed()]
    asked, made = threading.Barrier(2), list[str]()
    session = deployed.cell.session("runtime")

    def role(tenant: str) -> str:
        asked.wait(600)
        return deployed.names.runtime_role_arn

    session.events.register("creating-client-class.sts", lambda **_: made.append("sts"))
    before = sockets()
    with KeyReader(CELL, session=session, clock=deployed.clock, role_arn=role) as reader:
        threads = [threading.Thread(target=reader.get, args=(tenant.slug,)) for tenant in tenants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert made == ["sts"]
    assert sockets() == before
