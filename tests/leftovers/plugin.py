"""Fails the test that leaves something behind, and names what was left.

A test is judged when its own fixtures have ended. Where it shares a fixture of a module or of the whole run, what it
opened may be that fixture's (a client of the shared cell that a test was the first to ask for): such a thing is noted
with the test's name and judged when the last sharer has ended, at the end of the module or of the run. Changed settings
and futures are nobody's to share: they are judged after each test.
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
"""Seconds for what is ending already: a thread that was told to, a socket whose other side has just hung up."""

_WIDER = ("function", "class", "module", "package", "session")


class Run:
    """One process's run of tests: how to look, and who was there when each thing came up."""

    def __init__(self, look: Callable[[], Sight], folder: Path) -> None:
        self.look = look
        self._folder = folder
        self.futures = Watch()
        self.noted: dict[object, str] = {}

    def note(self, before: Sight, test: str) -> None:
        for thing in sight.left(before, self.look()):
            self.noted.setdefault(thing, test)

    def look_wide(self) -> Sight:
        """With the processes that nobody is the parent of; for modules and the run, since it takes longer."""
        seen = self.look()
        return Sight({**seen.things, **sight.detached(self._folder)}, seen.settings)

    def judge(self, before: Sight, look: Callable[[], Sight]) -> None:
        """Raises with what is still there after the grace.

        Garbage that only the collector can end (a client of boto3's in a cycle with itself, and its connections) would
        be there or not as the collector happened to run: it is collected first, and so never told of.
        """
        if sight.left(before, look()):
            gc.collect()
        give_up = time.monotonic() + GRACE
        while (still := sight.left(before, look())) and time.monotonic() < give_up:
            time.sleep(0.01)
        _fail(
            f"{name}, there since {self.noted[thing]}" if thing in self.noted else name for thing, name in still.items()
        )


@pytest.fixture(scope="session", autouse=True)
def nothing_left_by_the_run(tmp_path_factory: pytest.TempPathFactory) -> Generator[Run]:
    """Temporary files go to a folder of this process's own, where they can be told from everybody else's."""
    folder, tree = tmp_path_factory.mktemp("t", numbered=False), sight.Tree()
    run = Run(lambda: sight.look(tree), tmp_path_factory.getbasetemp())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TMPDIR", str(folder))
        patched.setattr(tempfile, "tempdir", str(folder))
        run.futures.install(patched)
        before = run.look_wide()
        yield run
        _fail(run.futures.left())
        run.judge(before, run.look_wide)


@pytest.fixture(scope="module", autouse=True)
def nothing_left_by_the_module(request: pytest.FixtureRequest, nothing_left_by_the_run: Run) -> Generator[None]:
    run, module = nothing_left_by_the_run, request.node
    widest = max(_widest(item) for item in request.session.items if item.getparent(pytest.Module) is module)
    before = run.look_wide()
    yield
    if widest <= _WIDER.index("module"):
        run.judge(before, run.look_wide)


@pytest.fixture(autouse=True)
def nothing_left_by_the_test(request: pytest.FixtureRequest, nothing_left_by_the_run: Run) -> Generator[None]:
    run = nothing_left_by_the_run
    # A fixture that several tests share may have been the first to call the product.
    make_loud()
    before = run.look()
    yield
    _fail([*sight.changed(before, run.look()), *run.futures.left()])
    if _widest(request.node) == _WIDER.index("function"):
        run.judge(before, run.look)
    else:
        run.note(before, request.node.nodeid)


def _widest(item: Any) -> int:
    """The scope, as an index, of the longest-lived fixture of these tests that `item` names or its fixtures name."""
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
