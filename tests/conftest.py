"""Settings of the whole run: its workers, the order of tests, its leftovers, AWS's models, and signals.

Each boto3 session reads its own copy of AWS's models, the same megabytes of static JSON. With a session for each user
and a client for each test, this took most of the run's time and gigabytes of memory, so the loader is shared; nothing
else is, but for the machine's list of certificates (`certificates`).
Hypothesis has no deadline: a slow example on a busy machine is not a fault.
A script's background job ignores SIGINT, and whatever `nohup` starts ignores SIGHUP; so would every command that a test
stops by them: so the defaults are set again.
The garbage collector is off until the tests are collected: it would only look through what they keep.
boto3's default session keeps the credentials that it found first, so each test begins without one.
The engine stores a stack's settings beside the project. Cells share them (all have the same key), so that
workers may use the same stack name at the same time; the files that the run added are deleted at its end.
"""

from __future__ import annotations

import gc
import os
import random
import signal
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import boto3
import botocore.session
import hypothesis
import pytest
from botocore.loaders import create_loader
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.certificates import read_once
from tests.commands.client import servers
from tests.leftovers.loud import loud_again as loud_again
from tests.leftovers.plugin import nothing_left_by_the_module as nothing_left_by_the_module
from tests.leftovers.plugin import nothing_left_by_the_run as nothing_left_by_the_run
from tests.leftovers.plugin import nothing_left_by_the_test as nothing_left_by_the_test
from tests.workers import place, workers
from tools import browser, engine

gc.disable()
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")
botocore.session.create_loader = cache(create_loader)
read_once()
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# The engine runs hundreds of times, for seconds each: by default, garbage collection takes a seventh of its time.
os.environ.setdefault("GOGC", "400")
# The readline library, once pytest has loaded it, tells each worker of a terminal that nobody has.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)
# A function that its schedule calls in the middle of a test would make calls that the test counts.
os.environ["MYFLUX_LOCAL_SCHEDULES"] = "off"
# The engine would derive a key from a passphrase each time it starts, which takes a third of a small run.
os.environ["MYFLUX_LOCAL_STATE_KEY"] = "on"


_STACKS = Path(__file__).parents[1] / ".stacks"
_BEFORE = pytest.StashKey[set[Path]]()
_SERVERS = pytest.StashKey[ExitStack]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_BEFORE] = set(_STACKS.glob("*"))
    session.config.stash[_SERVERS] = running = ExitStack()
    running.enter_context(servers())


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[_SERVERS].close()
    if not hasattr(session.config, "workerinput"):
        for leftover in set(_STACKS.glob("*")) - session.config.stash[_BEFORE]:
            leftover.unlink()


class _ByFolder(LoadScopeScheduling):
    """Runs all tests of a folder on one worker, since they share cells."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    boto3.DEFAULT_SESSION = None


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return workers(config.args, config.invocation_params.dir, os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFolder:
    return _ByFolder(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Makes sure that engine and browser are installed before the first test that runs them. The collected tests exist
    until the process ends, so the garbage collector need not examine them: they are frozen."""
    if not session.config.option.collectonly:
        try:
            if any(item.get_closest_marker("engine") for item in session.items):
                engine.ensure(os.environ)
            if any(item.get_closest_marker("browser") for item in session.items):
                browser.ensure(os.environ)
        except (engine.EngineError, browser.BrowserError) as error:
            pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders that take longest begin first, and the many small ones fill the remaining time. MYFLUX_TEST_ORDER,
    any text, is the seed of a random order of folders: the same text gives the same order, on every worker and in every
    run."""
    if drawn := os.environ.get("MYFLUX_TEST_ORDER"):
        folders = sorted({_folder(item) for item in items})
        random.Random(drawn).shuffle(folders)
        items.sort(key=lambda item: folders.index(_folder(item)))
        return
    items.sort(key=lambda item: place(_folder(item)))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]
