"""What becomes of a key, case by case, and what must never happen whatever the case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rotation.tenant import Tenant
from functions.shared.openai_admin import Key
from functions.shared.secrets_manager import CURRENT, PENDING
from functions.sweep.decide_keys import GRACE_SECONDS, PREVIOUS, READER_CACHE_SECONDS, SLACK_SECONDS, decide, is_expired
from functions.sweep.facts import Facts, Finding

HOUR, DAY = 3600, 86_400
OVERLAP = DAY
TENANT = Tenant("local", "acme", "proj_1", "svc_1", "restricted", ("gpt-5-mini",), 30 * DAY, OVERLAP)
NOW = 1_800_000_000
PROMOTED = NOW - 12 * HOUR


def key(
    id: str,
    *,
    made: int = NOW - 40 * DAY,
    dies: int | None = NOW + 20 * DAY,
    used: int | None = None,
    name: str | None = None,
    owner: str | None = "svc_1",
) -> Key:
    return Key(id, TENANT.key_name(f"token-of-{id}") if name is None else name, made, dies, owner, used)


LIVE = key("live", made=PROMOTED, dies=NOW + 33 * DAY, used=NOW - 5)


def facts(*keys: Key, **changes: object) -> Facts:
    base = Facts(
        now=NOW,
        tenant=TENANT,
        keys=(LIVE, *keys),
        versions={CURRENT: "v2", PREVIOUS: "v1"},
        held={CURRENT: "live", PREVIOUS: "old"},
        promoted_at=PROMOTED,
        consumers=("myflux", "cinnox"),
    )
    return replace(base, **changes)


def about(found: list[Finding], key_id: str) -> tuple[str, str] | None:
    """(found, action) of one key; None where nothing is said of it."""
    return next(((f.found, f.action) for f in found if f.key_id == key_id), None)


DYING = PROMOTED + OVERLAP
NEAR = DYING - HOUR
"""An hour before the old key's death."""


@pytest.mark.parametrize(
    ("case", "state", "expected"),
    [
        ("nobody ever used it", facts(key("x", made=NOW - 2 * HOUR)), ("orphan", "revoke")),
        (
            "the rotation that lost it had proven it",
            facts(key("x", made=NOW - 2 * HOUR, used=NOW - 2 * HOUR + 300)),
            ("orphan", "revoke"),
        ),
        ("a lost key without expiry", facts(key("x", dies=None)), ("orphan", "revoke")),
        ("so young that a rotation may be storing it", facts(key("x", made=NOW - HOUR + 1)), ("kept", "none")),
        (
            "a rotation in flight holds it",
            facts(
                key("x", made=NOW - 5 * HOUR),
                versions={CURRENT: "v2", PENDING: "v3"},
                held={CURRENT: "live", PENDING: "x"},
            ),
            ("kept", "none"),
        ),
        (
            "named by the pending version, which holds another key",
            facts(
                key("x", made=NOW - 2 * HOUR, name=TENANT.key_name("v3")),
                versions={CURRENT: "v2", PENDING: "v3"},
                held={CURRENT: "live", PENDING: "y"},
            ),
            ("orphan", "revoke"),
        ),
        (
            "replaced twice within the overlap, and in use since",
            facts(key("x", dies=NOW + 3 * HOUR, used=NOW - 60)),
            ("kept", "none"),
        ),
        ("replaced long ago, never shortened, in use", facts(key("x", used=NOW - 60)), ("overdue", "expire")),
        ("a person's key", facts(key("x", name="my key", owner=None)), ("foreign", "report")),
        ("a person's key with a name like ours", facts(key("x", owner=None)), ("foreign", "report")),
        ("on our account, but not named by us", facts(key("x", name="tried by hand")), ("foreign", "report")),
        ("another account's", facts(key("x", owner="svc_2")), ("foreign", "report")),
        (
            "another account's, held by the live version since an adoption",
            facts(key("x", owner="svc_2", name="by hand"), held={CURRENT: "x", PREVIOUS: "old"}),
            ("kept", "none"),
        ),
        (
            "another account's, held by the previous version since an adoption",
            facts(key("x", owner="svc_2", name="by hand"), held={CURRENT: "live", PREVIOUS: "x"}),
            ("overdue", "expire"),
        ),
        (
            "adopted, and held by an older version only",
            facts(key("x", owner=None, name="by hand"), adopted=frozenset({"x"})),
            ("overdue", "expire"),
        ),
        (
            "adopted, held by an older version only, and about to die",
            facts(key("x", owner=None, name="by hand", dies=NOW + HOUR), adopted=frozenset({"x"})),
            ("kept", "none"),
        ),
        ("dead", facts(key("x", dies=NOW - HOUR)), None),
        ("a dead foreign key", facts(key("x", name="my key", owner=None, dies=NOW - HOUR)), None),
        (
            "nothing can be told while a version holds another's value",
            facts(key("x"), unreadable=frozenset({PREVIOUS}), held={CURRENT: "live"}),
            ("kept", "none"),
        ),
        (
            "a live version that no rotation wrote",
            facts(key("x"), unreadable=frozenset({CURRENT}), held={}),
            ("kept", "none"),
        ),
        (
            "left by a first rotation that never came to an end",
            facts(key("x"), versions={}, held={}, promoted_at=None),
            ("orphan", "revoke"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_without_a_label(case: str, state: Facts, expected: tuple[str, str] | None) -> None:
    assert about(decide(state), "x") == expected, case


@pytest.mark.parametrize(
    ("case", "now", "old", "expected"),
    [
        ("just replaced", PROMOTED + 60, key("old", dies=DYING, used=PROMOTED + 30), ("kept", "none")),
        ("in use, far from its death", PROMOTED + 12 * HOUR, key("old", dies=DYING, used=NOW), ("kept", "none")),
        ("about to die, unused since", NEAR, key("old", dies=DYING, used=PROMOTED - 60), ("kept", "none")),
        ("about to die, never used", NEAR, key("old", dies=DYING), ("kept", "none")),
        (
            "about to die, used by readers' caches only",
            NEAR,
            key("old", dies=DYING, used=PROMOTED + READER_CACHE_SECONDS),
            ("kept", "none"),
        ),
        ("about to die and in use", NEAR, key("old", dies=DYING, used=NEAR - HOUR), ("in_use", "extend")),
        (
            "extended once, and about to die again",
            NEAR + OVERLAP,
            key("old", dies=DYING + OVERLAP, used=NEAR),
            ("in_use", "report"),
        ),
        (
            "extended once, far from its second death",
            NEAR + HOUR,
            key("old", dies=DYING + OVERLAP, used=NEAR),
            ("kept", "none"),
        ),
        ("never shortened", PROMOTED + 2 * HOUR, key("old", dies=PROMOTED + 30 * DAY), ("overdue", "expire")),
        ("without any expiry", PROMOTED + 2 * HOUR, key("old", dies=None), ("overdue", "expire")),
        (
            "shortened by a sweep before, since the rotation did not",
            PROMOTED + 10 * DAY,
            key("old", dies=PROMOTED + 11 * DAY),
            ("kept", "none"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_old_key(case: str, now: int, old: Key, expected: tuple[str, str]) -> None:
    assert about(decide(facts(old, now=now)), "old") == expected, case


def test_an_extension_adds_one_overlap_and_names_the_consumers() -> None:
    old = key("old", dies=DYING, used=NEAR - HOUR)
    (found,) = [f for f in decide(facts(old, now=NEAR)) if f.key_id == "old"]
    assert found.seconds == HOUR + OVERLAP, "counted from now, as OpenAI does"
    assert "cinnox" in found.reason
    assert found.consumers == ("myflux", "cinnox")


@pytest.mark.parametrize(("answered", "expected"), [(True, ("alive", "revoke")), (False, None), (None, None)])
def test_an_old_key_that_answers_after_its_death_is_told_and_revoked(
    answered: bool | None, expected: tuple[str, str] | None
) -> None:
    dead = key("old", dies=NOW - HOUR)
    assert about(decide(facts(dead, previous_accepted=answered)), "old") == expected


def test_an_old_key_that_answers_though_openai_lists_it_no_more_is_told() -> None:
    assert about(decide(facts(previous_accepted=True)), "old") == ("alive", "report")
    assert about(decide(facts(previous_accepted=False)), "old") is None


@pytest.mark.parametrize("gone", [(), (key("live", dies=NOW - HOUR),)], ids=["not listed", "expired"])
def test_without_a_working_live_key_no_other_is_ended(gone: tuple[Key, ...]) -> None:
    others = (key("old", dies=None), key("x"))
    found = decide(facts(keys=(*gone, *others)))
    assert about(found, "live") == ("missing", "report"), "calls fail: a person must know"
    assert about(found, "old") == about(found, "x") == ("kept", "none"), "they may be all that works"


times = st.integers(NOW - 60 * DAY, NOW + 60 * DAY)
past = st.integers(NOW - 60 * DAY, NOW)
some_keys = st.builds(
    Key,
    id=st.sampled_from(["a", "b", "c", "d", "e"]),
    name=st.sampled_from([TENANT.key_name(v) for v in ("v1", "v2", "v3", "v9")] + ["my key", "myflux-local-other-v1"]),
    created_at=past,
    expires_at=st.none() | times,
    service_account_id=st.sampled_from(["svc_1", "svc_2", None]),
    last_used_at=st.none() | past,
)
labels = st.dictionaries(st.sampled_from([CURRENT, PREVIOUS, PENDING]), st.sampled_from(["a", "b", "c", "d", "e", "z"]))
states = st.builds(
    Facts,
    now=st.just(NOW),
    tenant=st.just(TENANT),
    keys=st.lists(some_keys, max_size=5, unique_by=lambda k: k.id).map(tuple),
    versions=st.dictionaries(st.sampled_from([CURRENT, PREVIOUS, PENDING]), st.sampled_from(["v1", "v2", "v3"])),
    held=labels,
    unreadable=st.frozensets(st.sampled_from([CURRENT, PREVIOUS, PENDING])),
    promoted_at=st.none() | past,
    previous_accepted=st.none() | st.booleans(),
)


@given(states)
def test_whatever_the_state_nothing_is_ended_that_somebody_may_need(state: Facts) -> None:
    by_id = {k.id: k for k in state.keys}
    protected = {state.held.get(CURRENT), state.held.get(PENDING)}
    for found in decide(state):
        if found.action not in ("revoke", "expire"):
            continue
        ended = by_id[found.key_id]
        if found.found != "alive":
            assert ended.id not in protected, "the live key and one on its way are never ended"
            assert ended.created_at <= NOW - GRACE_SECONDS or state.held.get(PREVIOUS) == ended.id
            current = state.held.get(CURRENT)
            assert current is None or (current in by_id and not is_expired(by_id[current], NOW)), (
                "nothing else may work"
            )
        ours = ended.service_account_id == TENANT.service_account_id and ended.name.startswith(TENANT.key_name(""))
        if found.found != "alive":
            assert ours or ended.id in state.held.values(), (
                "what no version ever held and we did not make is left alone"
            )
        assert ended.service_account_id == TENANT.service_account_id or ended.id in state.held.values()
        if found.action == "revoke" and found.found == "orphan":
            assert ended.id not in state.held.values()


@given(states)
def test_whatever_the_state_a_life_is_lengthened_for_the_old_key_alone(state: Facts) -> None:
    by_id = {k.id: k for k in state.keys}
    for found in decide(state):
        if found.seconds is None:
            continue
        before, after = by_id[found.key_id].expires_at, NOW + found.seconds
        if found.action == "extend":
            assert state.held.get(PREVIOUS) == found.key_id
            assert before is not None
            assert before < after <= before + OVERLAP + 1
        else:
            assert before is None or after <= before, "ending a key never lengthens its life"


@given(
    used=st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=6),
    every=st.integers(300, 1800),
    late=st.integers(0, SLACK_SECONDS),
)
def test_sweep_after_sweep_an_old_key_is_extended_once_at_most(used: list[int], every: int, late: int) -> None:
    """A person who never changes over: uses at any time, a sweep every few minutes, until the key is dead."""
    dies, extended = PROMOTED + late + OVERLAP, 0
    for now in range(PROMOTED, PROMOTED + 5 * DAY, every):
        if now >= dies:
            break
        last = max((PROMOTED + u for u in used if PROMOTED + u <= now), default=None)
        found = decide(facts(key("old", dies=dies, used=last), now=now))
        (judged,) = [f for f in found if f.key_id == "old"]
        assert judged.action in ("none", "extend", "report")
        if judged.action == "extend":
            assert judged.seconds
            dies, extended = now + judged.seconds, extended + 1
    assert extended <= 1
    assert dies <= PROMOTED + late + 2 * OVERLAP
