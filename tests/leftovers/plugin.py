"""Fails a test that leaves something behind, and names what was left.

A test is checked after its own fixtures have ended. If it shares a fixture with its module or with the whole run, a
thing that it opened may belong to that fixture (e.g. a client of the shared cell, which the test was the first to
request). Such a thing is recorded with the test's name, and checked after the last test that shares the fixture: at the
end of the module or of the run. Changed settings and futures cannot belong to a shared fixture: they are checked after
each test.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.leftovers import sight
from tests.leftovers.futures import Watch
from tests.leftovers.loud import make_loud
from tests.leftovers.sight import Sight

GRACE = 10.0
"""Seconds for things that are about to end: a thread that was asked to stop, a socket whose peer has just closed."""

_WIDER = ("function", "class", "module", "package", "session")


class Run:
    """One process's run of tests: takes snapshots, and records during which test each thing appeared."""

    def __init__(self, look: Callable[[], Sight], folder: Path) -> None:
        self.look = look
        self._folder = folder
        self.futures = Watch()
        self.noted: dict[object, str] = {}

    def note(self, before: Sight, after: Sight, test: str) -> None:
        for thing in sight.left(before, after):
            self.noted.setdefault(thing, test)

    def look_wide(self) -> Sight:
        """Also finds processes whose parent has ended. Only for modules and the run, since it takes longer."""
        seen = self.look()
        return Sight({**seen.things, **sight.detached(self._folder)}, seen.settings)

    def judge(self, before: Sight, after: Sight, look: Callable[[], Sight]) -> None:
        """Fails with the things that exist in `after` and, by `look`, still after GRACE.

        It collects garbage first and so never reports it. Otherwise the result would depend on when the collector runs,
        e.g. for the connections of a boto3 client in a reference cycle.
        """
        if not sight.left(before, after):
            return
        gc.collect()
        give_up = time.monotonic() + GRACE
        while (still := sight.left(before, look())) and time.monotonic() < give_up:
            time.sleep(0.01)
        _fail(
            f"{name}, there since {self.noted[thing]}" if thing in self.noted else name for thing, name in still.items()
        )


@pytest.fixture(scope="session", autouse=True)
def nothing_left_by_the_run(tmp_path_factory: pytest.TempPathFactory) -> Generator[Run]:
    """Gives this process its own folder for temporary files, so that files of other processes are not reported."""
    folder, tree = tmp_path_factory.mktemp("t", numbered=False), sight.Tree()
    run = Run(lambda: sight.look(tree), tmp_path_factory.getbasetemp())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TMPDIR", str(folder))
        patched.setattr(tempfile, "tempdir", str(folder))
        run.futures.install(patched)
        before = run.look_wide()
        yield run
        _fail(run.futures.left())
        run.judge(before, run.look_wide(), run.look_wide)


@pytest.fixture(scope="module", autouse=True)
def nothing_left_by_the_module(request: pytest.FixtureRequest, nothing_left_by_the_run: Run) -> Generator[None]:
    run, module = nothing_left_by_the_run, request.node
    widest = max(_widest(item) for item in request.session.items if item.getparent(pytest.Module) is module)
    before = run.look_wide()
    yield
    if widest <= _WIDER.index("module"):
        run.judge(before, run.look_wide(), run.look_wide)


@pytest.fixture(autouse=True)
def nothing_left_by_the_test(request: pytest.FixtureRequest, nothing_left_by_the_run: Run) -> Generator[None]:
    run = nothing_left_by_the_run
    # A fixture that several tests share may have been the first to call the product.
    make_loud()
    before = run.look()
    yield
    after = run.look()
    _fail([*sight.changed(before, after), *run.futures.left()])
    if _widest(request.node) == _WIDER.index("function"):
        run.judge(before, after, run.look)
    else:
        run.note(before, after, request.node.nodeid)


def _widest(item: Any) -> int:
    """The widest scope, as an index, of the suite's own fixtures that `item` uses, directly or through a fixture."""
    return max(
        (
            _WIDER.index(each.scope)
            for definitions in item._fixtureinfo.name2fixturedefs.values()
            for each in definitions[-1:]
            if not each.func.__module__.startswith(("_pytest.", "xdist.", __name__))
        ),
        default=0,
    )


def _fail(told: Iterable[str]) -> None:
    if found := list(told):
        pytest.fail("left behind:\n  " + "\n  ".join(found), pytrace=False)
