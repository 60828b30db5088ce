"""What a rotation refuses before it makes anything: wrong tags, wrong secrets, rotations that are off or over."""

from __future__ import annotations

from typing import Any

import pytest

from functions.shared.rotation_guard import Refused, RotationError
from tests.functions.fake_secrets import CURRENT
from tests.functions.world import World


def _tag(world: World, **tags: str) -> None:
    world.secrets.tags |= {name.replace("__", ":").replace("_", "-"): value for name, value in tags.items()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tenant": "globex"}, "its name has another tenant"),
        ({"cell": "other"}, "serves cell local"),
        ({"managed_by": "somebody"}, "has no tag managed-by"),
        ({"myflux__permission": "everything"}, "not one of: all, restricted, read_only"),
        ({"myflux__every_days": "soon"}, "not a number"),
        ({"myflux__every_days": "0.1"}, "at least 4 hours"),
        ({"myflux__overlap_hours": "721"}, "at most the interval"),
        ({"myflux__project_id": " "}, "no tag myflux:project-id"),
        ({"myflux__every_days": "364"}, None),
        ({"myflux__every_days": "365"}, "exceed a year"),
    ],
)
def test_tags_that_break_a_rule_are_refused_before_any_call_to_openai(
    world: World, change: dict[str, Any], reason: str | None
) -> None:
    _tag(world, **change)
    if reason is None:
        world.check(world.rotate())
        return
    with pytest.raises(Refused, match=reason):
        world.rotate()
    assert not world.openai_calls
    assert not world.live_keys()


def test_another_cells_secret_is_refused_by_its_name_alone(world: World) -> None:
    world.secrets.name = "myflux/other/acme/openai"
    world.secrets.calls.clear()
    with pytest.raises(Refused, match="no tenant's secret of cell local"):
        world.step("testSecret", "token-1")
    assert not world.secrets.calls


def test_a_rotation_that_is_off_or_over_is_refused(world: World) -> None:
    world.secrets.begin_rotation("token-1")
    with pytest.raises(Refused, match="has no version token-9"):
        world.step("createSecret", "token-9")
    world.secrets.rotation_enabled = False
    with pytest.raises(Refused, match="rotation is off"):
        world.step("createSecret", "token-1")
    world.secrets.rotation_enabled = True
    first, _ = world.rotate("token-1"), world.rotate("token-2")
    with pytest.raises(Refused, match="its rotation is over"):
        world.step("finishSecret", first)
    assert world.secrets.labels[CURRENT] == "token-2", "a late repeat never brings an old key back"


def test_no_key_is_minted_without_time_to_undo_it(world: World) -> None:
    world.secrets.begin_rotation("token-1")
    world.time.deadline = lambda seconds=30.0: type(world.time).deadline(world.time, 30.0)
    with pytest.raises(RotationError, match="raise the time-out"):
        world.step("createSecret", "token-1")
    assert not world.live_keys()
