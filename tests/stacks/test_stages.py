"""The order of a fleet's stacks, and when a run begins no further one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ops.stacks.stages import Stage, stages, why_to_stop

NAMES = st.sets(st.integers(0, 100_000).map(lambda number: f"t-{number}.local"), max_size=300)


@given(NAMES, st.booleans(), st.booleans())
def test_every_stack_has_one_place_and_a_platform_never_stands_after_its_tenants(
    tenants: set[str], canary: bool, destroys: bool
) -> None:
    made = stages({"local", "other"}, tenants, canary=canary, destroys=destroys)
    order = [stack for stage in made for stack in stage.stacks]
    assert sorted(order) == sorted({"local", "other"} | tenants), "each once, none forgotten"
    platforms = made[-1] if destroys else made[0]
    assert set(platforms.stacks) == {"local", "other"}
    assert all(stage.stacks for stage in made), "an empty stage is nothing to wait for"


@given(NAMES.filter(bool))
def test_canaries_are_one_tenant_and_then_one_in_twenty(tenants: set[str]) -> None:
    first, *others = (stage for stage in stages((), tenants, canary=True))
    assert len(first.stacks) == 1
    if others:
        assert len(others[0].stacks) <= len(tenants) / 20 + 1
    assert stages((), tenants, canary=True) == stages((), sorted(tenants), canary=True), "the same on every machine"


def test_a_failed_canary_ends_the_run_and_later_failures_have_a_budget() -> None:
    canary, rest = Stage("5% of tenants", ("b", "c"), gate=True), Stage("other tenants", ("d", "e", "f"), gate=False)
    assert why_to_stop(canary, ["b"], 1, 3) is not None, "the budget is not for canaries"
    assert why_to_stop(rest, ["d", "e"], 2, 2) is None
    stopped = why_to_stop(rest, ["d", "e", "f"], 3, 2)
    assert stopped is not None
    assert "--max-failures is 2" in stopped


def test_a_platform_stays_while_a_tenant_of_it_could_not_be_destroyed() -> None:
    *tenants, platform = stages({"local"}, {"a.local", "b.local"}, canary=False, destroys=True)
    assert platform.stacks == ("local",)
    assert tenants[-1].gate, "its function is needed to end the keys"
    (alone,) = stages((), {"a.local", "b.local"}, canary=False)
    assert not alone.gate, "tenants that were named are no canaries"
