"""The rotation's decisions alone: what an answer says about a key, which keys end, how long a key is to live."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rotation.keys import leftovers, outdated, remaining_life, surplus
from functions.rotation.proof import Proof, judge
from functions.rotation.tenant import Tenant, check_name
from functions.shared.openai_admin import Key
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import Refused
from myflux_keys import names
from myflux_keys.key_life import READER_CACHE_SECONDS

DAY = 86_400
HOUR = 3600
TENANT = Tenant("local", "acme", "proj_1", "svc_1", "restricted", ("gpt-5-mini",), 30 * DAY, DAY)
NAME = TENANT.key_name("token")


def _error(status: int | None, message: str = "no", code: str | None = None, type: str | None = None) -> OpenAIError:
    return OpenAIError(
        "GET /models/x", message, maybe_applied=False, status=status, code=code, type=type, explained=True
    )


@pytest.mark.parametrize(
    ("error", "proof"),
    [
        (None, Proof.ACCEPTED),
        (_error(401, "Incorrect API key provided", "invalid_api_key"), Proof.REFUSED),
        (_error(401, "IP not authorized: it is not in the allowlist of your organization"), Proof.UNCLEAR),
        (_error(401, "You have insufficient permissions. Missing scopes: model.request."), Proof.RESTRICTED),
        (_error(401, "No.", "missing_scope"), Proof.RESTRICTED),
        (_error(403, "Missing scopes: api.model.read"), Proof.RESTRICTED),
        (_error(403, "not for you"), Proof.RESTRICTED),
        (_error(403, "Country not supported", "unsupported_country_region_territory"), Proof.UNCLEAR),
        (_error(403, "no access to model", "model_not_found"), Proof.MODEL_UNREACHABLE),
        (_error(404, "The model does not exist", "model_not_found"), Proof.MODEL_UNREACHABLE),
        (_error(404, "Invalid URL (GET /v2/models)"), Proof.UNCLEAR),
        (_error(429, "quota", "project_spend_limit_exceeded", "insufficient_quota"), Proof.UNPAID),
        (_error(429, "quota", "organization_usage_limit_exceeded"), Proof.UNPAID),
        (_error(429, "quota", None, "insufficient_quota"), Proof.UNPAID),
        (_error(429, "quota", "credit_balance_exhausted"), Proof.UNPAID),
        (_error(429, "slow down", "rate_limit_exceeded", "requests"), Proof.UNCLEAR),
        (_error(500, "oops"), Proof.UNCLEAR),
        (_error(None, "time-out"), Proof.UNCLEAR),
    ],
)
def test_each_answer_says_one_thing_about_the_key(error: OpenAIError | None, proof: Proof) -> None:
    assert judge(error) is proof


def test_a_page_that_is_not_openais_proves_nothing() -> None:
    assert judge(OpenAIError("GET /models/x", "<html>", maybe_applied=False, status=403)) is Proof.UNCLEAR


def test_only_a_living_key_counts_as_proven() -> None:
    assert {proof for proof in Proof if not proof.valid} == {Proof.REFUSED, Proof.UNCLEAR}


def _key(name: str, created: int = 1000, expires: int | None = 1000 + 34 * DAY, id: str = "key_x") -> Key:
    return Key(id, name, created, expires, "svc_1")


def test_leftovers_are_keys_of_this_rotation_that_were_not_put_to_death_yet() -> None:
    lost, forever = _key(NAME, id="key_1"), _key(NAME, expires=None, id="key_2")
    dying, other = _key(NAME, expires=1010, id="key_3"), _key(TENANT.key_name("other"), id="key_4")
    assert leftovers([lost, forever, dying, other], NAME) == [lost, forever]


def test_outdated_keys_are_ours_not_current_and_too_long_lived() -> None:
    current = _key(NAME, id="key_now")
    old = _key(TENANT.key_name("old"), id="key_old")
    twin = _key(NAME, id="key_twin")
    soon = _key(TENANT.key_name("soon"), expires=1000 + DAY, id="key_soon")
    strange = _key("somebody's", id="key_theirs")
    neighbour = _key(names.key_name("local", "acm", "old"), id="key_acm")
    before = _key(TENANT.key_name("before"), id="key_before")
    keys = [current, old, twin, soon, strange, neighbour, before]
    assert outdated(keys, TENANT, current, previous={before.id}) == [
        (old, HOUR),
        (twin, HOUR),
        (soon, HOUR),
        (before, DAY),
    ], "the key before this one gets the overlap, any other what a reader may cache it for"


def test_the_previous_key_is_left_the_longest_reader_cache_whatever_the_overlap() -> None:
    current, before = _key(NAME, id="key_now"), _key(TENANT.key_name("before"), id="key_before")
    short = replace(TENANT, overlap=60)
    assert outdated([current, before], short, current, previous={before.id}) == [(before, READER_CACHE_SECONDS)]


MADE = {"live": 20 * DAY, "previous": 10 * DAY}
"""When the live key and the one before it were made."""


def _old(id: str, made: int, *, expires: int, used: int | None) -> Key:
    return Key(id, TENANT.key_name(id), made, expires, "svc_1", used)


def _row(*others: Key) -> list[Key]:
    return [*others, *(_old(id, made, expires=made + 34 * DAY, used=made + DAY) for id, made in MADE.items())]


def test_before_a_mint_all_ends_but_what_the_secret_holds_and_one_extended_key() -> None:
    last = MADE["live"]
    extended = _old("extended", DAY, expires=last + 12 * HOUR, used=last - HOUR)
    also = _old("also-extended", 2 * DAY, expires=last + 13 * HOUR, used=last - 2 * HOUR)
    grace = _old("grace", 3 * DAY, expires=last + HOUR, used=last)
    abandoned = _old("abandoned", last - 60, expires=last + 34 * DAY, used=last - 50)
    strange = Key("key_theirs", "somebody's", 1000, None, "svc_1", last)
    ended = surplus(_row(extended, also, grace, abandoned, strange), TENANT, set(MADE))
    assert {key.id for key in ended} == {"also-extended", "grace", "abandoned"}


def test_with_an_overlap_of_an_hour_an_extended_key_in_use_outlives_two_rotations_in_a_row() -> None:
    """Its new expiry is then an hour after the live key was made, as every replaced key's: only its use tells."""
    replaced, made, now = 20 * DAY, 20 * DAY + HOUR, 20 * DAY + HOUR + 900
    live = _old("live", made, expires=made + 34 * DAY, used=now)
    previous = _old("previous", replaced, expires=made + HOUR, used=None)
    extended = _old("extended", 10 * DAY, expires=now + 2700, used=now - 400)
    short = replace(TENANT, overlap=HOUR)
    held = {"live", "previous"}
    assert surplus([live, previous, extended], short, held) == []
    idle = replace(extended, id="idle", last_used_at=made - HOUR - 1)
    less = replace(extended, id="less", last_used_at=now - 800)
    assert surplus([live, previous, extended, idle, less], short, held) == [idle, less], "one place, for the last used"


def test_an_extended_key_keeps_its_life_through_further_rotations() -> None:
    """First as the key before the previous one, then as one that has been replaced for longer."""
    replaced, made = MADE["previous"], MADE["previous"] + DAY
    current = Key("key_now", NAME, made, made + 34 * DAY, "svc_1")
    extended = _old("extended", DAY, expires=replaced + 2 * DAY, used=made - HOUR)
    usual = _old("usual", DAY, expires=replaced + DAY + 60, used=made - HOUR)
    previous = _old("previous", replaced, expires=replaced + 34 * DAY, used=made)
    assert outdated([previous, extended, current], TENANT, current, previous={"previous"}) == [(previous, DAY)]
    assert outdated([previous, usual, current], TENANT, current, previous={"previous"}) == [(previous, DAY)], (
        "it ends by itself"
    )
    soon = replace(current, created_at=replaced + HOUR)
    found = outdated([previous, usual, soon], TENANT, soon, previous={"previous"})
    assert found == [(previous, DAY), (usual, HOUR)], "a rotation inside its overlap cuts it to the reader cache"
    newer = _old("newer", 2 * DAY, expires=replaced + HOUR, used=replaced)
    assert (extended, HOUR) not in outdated([previous, newer, extended, soon], TENANT, soon, previous={"previous"})


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 80), st.none() | st.integers(0, 40)), max_size=12),
    st.sets(st.integers(0, 11), max_size=2),
)
def test_at_most_three_keys_are_left_when_one_is_minted(
    lives: list[tuple[int, int, int | None]], holding: set[int]
) -> None:
    keys = [
        _old(str(n), made * HOUR, expires=(made + life) * HOUR, used=None if used is None else used * HOUR)
        for n, (made, life, used) in enumerate(lives)
    ]
    held = {str(number) for number in holding}
    ended = surplus(keys, TENANT, held)
    assert len(keys) - len(ended) <= 3
    assert not held & {key.id for key in ended}, "what the secret holds is never ended"


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(-(10**6), 10**6))
def test_a_shortening_never_ends_up_lengthening(now: int, asked: int, left: int) -> None:
    before = now + left
    more = remaining_life(before, now + asked, asked)
    if more is None:
        assert now + asked <= before
    else:
        assert now + more <= max(before, now + 1), "a second is the least that OpenAI takes"


def test_a_key_without_expiry_is_only_ever_shortened() -> None:
    assert remaining_life(None, 5000, 10) is None


def test_a_key_lives_for_interval_overlap_and_margin_and_a_year_at_most() -> None:
    assert TENANT.life == (30 + 1 + 3) * DAY
    long = Tenant("local", "acme", "p", "s", "all", ("m",), 363 * DAY, DAY)
    assert long.life == 31_536_000


@pytest.mark.parametrize(
    "secret_id",
    [
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-a1B2c3",
        "arn:aws-cn:secretsmanager:cn-north-1:000000000000:secret:myflux/local/acme/openai-a1B2c3",
        "myflux/local/acme/openai",
    ],
)
def test_a_tenants_secret_is_known_by_name_or_arn(secret_id: str) -> None:
    assert check_name(secret_id, "local") == "acme"


@pytest.mark.parametrize(
    "name",
    [
        "myflux-admin/local/openai",
        "myflux/local/acme/openai-backup-a1B2c3",
        "myflux/local/a/b/openai",
        "myflux/other/acme/openai",
        "xmyflux/local/acme/openai",
        "myflux/local/_platform/openai",
        "",
    ],
)
def test_any_other_secret_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_name(name, "local")
