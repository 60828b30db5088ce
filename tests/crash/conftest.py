"""A stage for each of Secrets Manager's two ways to label a first value, made when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing import forkserver, resource_tracker, util
from typing import Any

import pytest

from tests.crash.stage import Stage, staged


@pytest.fixture(scope="session", autouse=True)
def no_fork_server_left(nothing_left_by_the_run: object) -> Iterator[None]:
    """multiprocessing keeps its two processes, and a folder, for as long as Python runs."""
    yield
    # It has no public way to end them before that.
    servers: Any = forkserver._forkserver
    tracker: Any = resource_tracker._resource_tracker
    inside: Any = util
    servers._stop()
    tracker._stop()
    for finalizer in list(inside._finalizer_registry.values()):
        if finalizer._callback is inside._remove_temp_dir:
            finalizer()


@pytest.fixture(scope="session")
def stage_that(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Stage]]:
    """``stage_that(first_is_current)``. After the last test no log of a function holds a key that was ever minted."""
    stages: dict[bool, Stage] = {}
    with ExitStack() as stack:

        def get(first_is_current: bool) -> Stage:
            if first_is_current not in stages:
                home = tmp_path_factory.mktemp("crash")
                stages[first_is_current] = stack.enter_context(staged(home, first_is_current=first_is_current))
            return stages[first_is_current]

        yield get
        for stage in stages.values():
            assert not stage.leaked(), "a function that fails logs no key"


@pytest.fixture
def stage(stage_that: Callable[[bool], Stage]) -> Iterator[Stage]:
    held = stage_that(True)
    held.function.cold_steps = False
    held.control.clear_faults()
    yield held
    held.script.end()
    held.function.after = lambda step, failure: None
    held.function.before = lambda step: None
