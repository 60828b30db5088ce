"""What holds for the whole run: how it is shared out, what it leaves, AWS's models read once, and Ctrl-C heard.

Each boto3 session reads and keeps models of its own, which are the same megabytes of static JSON every time: with a
session a user and a client a test that was most of the run's time and gigabytes of memory. Nothing else is shared.
No property has a time limit: what takes longer on a busy machine is not wrong.
A job in the background of a script has Ctrl-C ignored, and so would every command that a test stops by it.
The engine keeps a stack's settings beside the project. Cells share them (their passphrase is one), so that workers may
use one stack's name at the same time; what was not there before the run is taken away after it.
"""

from __future__ import annotations

import gc
import os
import random
import signal
from collections import Counter
from functools import cache
from pathlib import Path

import botocore.session
import hypothesis
import pytest
from botocore.loaders import create_loader
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.leftovers.loud import loud_again as loud_again
from tests.leftovers.plugin import nothing_left_by_the_module as nothing_left_by_the_module
from tests.leftovers.plugin import nothing_left_by_the_run as nothing_left_by_the_run
from tests.leftovers.plugin import nothing_left_by_the_test as nothing_left_by_the_test
from tests.workers import workers
from tools import engine

hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")
botocore.session.create_loader = cache(create_loader)
signal.signal(signal.SIGINT, signal.default_int_handler)
# The engine runs hundreds of times, for seconds: with its usual settings it spends a seventh of them on garbage.
os.environ.setdefault("GOGC", "400")


_STACKS = Path(__file__).parents[1] / ".stacks"
_BEFORE = pytest.StashKey[set[Path]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_BEFORE] = set(_STACKS.glob("*"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        for leftover in set(_STACKS.glob("*")) - session.config.stash[_BEFORE]:
            leftover.unlink()


class _ByFolder(LoadScopeScheduling):
    """A folder's tests share cells, and so one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return workers(config.args, config.invocation_params.dir, os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFolder:
    return _ByFolder(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The engine is there before the first test that runs it. What was collected lives as long as the process: the
    garbage collector need not look at it again and again."""
    if not session.config.option.collectonly and any(item.get_closest_marker("engine") for item in session.items):
        try:
            engine.ensure(os.environ)
        except engine.EngineError as error:
            pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with the engine take longest: the folders that have most of them come first, and the many small ones fill
    what is left of the time. With MYFLUX_TEST_ORDER the folders come in an order drawn from it, whatever it says: the
    same for every worker, and again for who says the same again."""
    if drawn := os.environ.get("MYFLUX_TEST_ORDER"):
        folders = sorted({_folder(item) for item in items})
        random.Random(drawn).shuffle(folders)
        items.sort(key=lambda item: folders.index(_folder(item)))
        return
    with_engine = Counter(_folder(item) for item in items if item.get_closest_marker("engine"))
    items.sort(key=lambda item: -with_engine[_folder(item)])


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]
