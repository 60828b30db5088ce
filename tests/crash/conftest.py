"""A stage for each of Secrets Manager's two ways to label a first value, made when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.crash.stage import Stage, staged


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
