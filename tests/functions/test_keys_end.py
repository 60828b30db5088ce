"""The keys of a tenant that has none any more: ended by the provisioner, after the rule is there, and read back."""

from __future__ import annotations

import pytest

from functions.provisioner.project import ProjectError
from functions.shared.openai_http import OpenAIError
from tests.functions.federated import FEDERATED, PROVIDERS, check, writes
from tests.functions.world import World


def test_a_tenant_that_has_no_key_any_more_has_each_of_them_ended_last(world: World) -> None:
    world.rotate()
    key = world.payload().api_key
    made = world.provision("update", **FEDERATED)
    assert world.accepted(key), "while the readers change over"
    world.rotate()
    keys = [key, world.payload().api_key]
    world.control.clear_calls()
    assert world.provision("update", previous=FEDERATED, keys=False, **FEDERATED) == made
    assert world.live_keys() == {}
    assert not any(map(world.accepted, keys))
    check(world, made)
    world.control.clear_calls()
    world.provision("update", keys=False, **FEDERATED)
    assert writes(world) == []


def test_keys_end_only_after_the_rule_is_there(world: World) -> None:
    world.rotate()
    world.control.fault("500", method="POST", path=PROVIDERS, count=None)
    with pytest.raises(OpenAIError, match="500"):
        world.provision("update", keys=False, **FEDERATED)
    assert world.accepted(world.payload().api_key)


def test_no_answer_is_believed_that_a_key_was_ended(world: World) -> None:
    world.rotate()
    world.control.fault("not_done", method="DELETE", path="api_keys", count=None)
    with pytest.raises(ProjectError, match="still valid"):
        world.provision("update", keys=False, **FEDERATED)
