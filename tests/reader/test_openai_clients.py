"""OpenAI's SDK on a tenant's key: rotation without rebuilding, one repetition on 401, and no key in its reach."""

from __future__ import annotations

import asyncio
import io

import httpx2
import openai
import pytest

from myflux_keys import KeyReader, KeyReaderError, NotReadyError
from myflux_keys.openai_clients import PLACEHOLDER, SET_BY_THE_TENANT
from tests.reader.conftest import Clock
from tests.reader.openai_stand_in import ASK, SCOPES, OpenAI
from tests.reader.stand_in import GET, StandIn, key_text


def rotate(aws: StandIn, api: OpenAI, clock: Clock, version: str = "v2") -> str:
    """A new key is live and the old one dead."""
    aws.put("acme", key_text(version), version)
    api.live = {key_text(version)}
    clock.advance(5)
    return key_text(version)


def test_a_call_carries_the_tenants_key_project_and_organization(client: openai.OpenAI, api: OpenAI) -> None:
    assert client.chat.completions.create(**ASK).choices[0].message.content == "hello"
    assert api.keys == [key_text("acme")]
    assert api.seen[0]["OpenAI-Project"] == "proj_acme"
    assert api.seen[0]["OpenAI-Organization"] == "org-test"
    assert str(client.base_url) == "https://api.openai.example/v1/"


def test_a_401_is_repeated_once_with_a_fresh_key(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    new = rotate(aws, api, clock)
    assert client.chat.completions.create(**ASK).choices[0].message.content == "hello"
    assert api.keys == [key_text("acme"), new]
    assert api.bodies[0] == api.bodies[1]
    client.chat.completions.create(**ASK)
    assert api.keys[2:] == [new], "the fresh key stays"
    assert aws.calls[GET] == 2


def test_streams_are_repeated_too(client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock) -> None:
    rotate(aws, api, clock)
    with client.chat.completions.create(**ASK, stream=True) as stream:
        assert [chunk.choices[0].delta.content for chunk in stream] == ["hello"]
    assert len(api.keys) == 2


def test_a_key_rotated_by_the_ttl_is_picked_up_without_a_401(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    client.chat.completions.create(**ASK)
    new = rotate(aws, api, clock)
    clock.advance(400)
    client.chat.completions.create(**ASK)
    assert api.keys == [key_text("acme"), new]


def test_a_project_that_changed_with_the_key_is_picked_up(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    aws.put("acme", key_text("two"), "v2", project_id="proj_other")
    api.live = {key_text("two")}
    clock.advance(400)
    client.chat.completions.create(**ASK)
    assert api.seen[-1]["OpenAI-Project"] == "proj_other"


def test_a_401_is_not_repeated_with_the_same_key(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    api.live = set()
    clock.advance(5)
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        client.chat.completions.create(**ASK)
    assert (len(api.keys), aws.calls[GET]) == (1, 2)


def test_a_401_on_the_fresh_key_is_the_answer(client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock) -> None:
    rotate(aws, api, clock)
    api.live = set()
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(**ASK)
    assert len(api.keys) == 2


def test_missing_scopes_are_no_dead_key(client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock) -> None:
    rotate(aws, api, clock)
    api.live, api.refusal = set(), SCOPES
    with pytest.raises(openai.AuthenticationError, match="Missing scopes"):
        client.chat.completions.create(**ASK)
    assert (len(api.keys), aws.calls[GET]) == (1, 1)


def test_an_upload_is_repeated_whole(client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock) -> None:
    rotate(aws, api, clock)
    client.files.create(file=("data.jsonl", io.BytesIO(b"{}" * 50_000)), purpose="batch")
    assert len(api.bodies) == 2
    assert api.bodies[0] == api.bodies[1]
    assert b"{}" * 50_000 in api.bodies[1]


def test_a_body_that_can_be_read_once_is_not_sent_in_halves(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    rotate(aws, api, clock)
    with pytest.raises(openai.AuthenticationError):
        client.post("/files", cast_to=object, content=(part for part in (b"a", b"b")))
    assert api.bodies == [b"ab"]


def test_copies_of_the_client_follow_the_key_too(
    client: openai.OpenAI, api: OpenAI, aws: StandIn, clock: Clock
) -> None:
    new = rotate(aws, api, clock)
    client.with_options(timeout=5).chat.completions.create(**ASK)
    assert api.keys[-1] == new


def test_one_http_client_serves_two_tenants_without_mixing_them(
    reader: KeyReader, aws: StandIn, api: OpenAI, network: httpx2.Client
) -> None:
    aws.put("globex", key_text("globex"))
    api.live.add(key_text("globex"))
    first, second = (reader.openai_client(tenant, http_client=network) for tenant in ("acme", "globex"))
    for client in (first, second, first):
        client.chat.completions.create(**ASK)
    assert api.keys == [key_text("acme"), key_text("globex"), key_text("acme")]
    first.close()
    second.chat.completions.create(**ASK)
    second.close()
    assert not network.is_closed, "a given http_client stays the caller's"


@pytest.mark.parametrize("url", ["https://elsewhere.example/v1/x", "http://api.openai.example/v1/x"])
def test_the_key_goes_to_its_own_origin_alone(client: openai.OpenAI, api: OpenAI, url: str) -> None:
    with pytest.raises(KeyReaderError, match="calls with is sent only to"):
        client.get(url, cast_to=object)
    assert not api.seen
    api.redirect = url
    with pytest.raises(KeyReaderError, match="calls with is sent only to"):
        client.chat.completions.create(**ASK)
    assert len(api.seen) == 1, "a redirect is not followed with the key either"


@pytest.mark.parametrize("option", sorted(SET_BY_THE_TENANT))
def test_what_the_secret_decides_can_not_be_passed(reader: KeyReader, option: str) -> None:
    with pytest.raises(TypeError, match=option):
        reader.openai_client("acme", **{option: "x"})


def test_the_environment_decides_nothing(
    reader: KeyReader, network: httpx2.Client, api: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer from-the-environment")
    with reader.openai_client("acme", http_client=network) as client:
        client.chat.completions.create(**ASK)
        assert (client.api_key, client.admin_api_key) == (PLACEHOLDER, "")
    assert "from-the-environment" not in repr(list(api.seen[0].multi_items()))


def test_a_reader_without_a_key_says_so_at_once_and_in_a_call(
    reader: KeyReader, client: openai.OpenAI, aws: StandIn, clock: Clock
) -> None:
    aws.put_text("acme", None)
    clock.advance(400)
    with pytest.raises(NotReadyError):
        client.chat.completions.create(**ASK)
    clock.advance(20)
    with pytest.raises(NotReadyError):
        reader.openai_client("acme")


def test_asyncio_has_the_same_client(reader: KeyReader, api: OpenAI, aws: StandIn, clock: Clock) -> None:
    async def main() -> list[str]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(api.later)) as network:
            client = await reader.async_openai_client("acme", http_client=network, max_retries=0)
            rotate(aws, api, clock)
            said = [(await client.chat.completions.create(**ASK)).choices[0].message.content or ""]
            rotate(aws, api, clock, "v3")
            async for chunk in await client.chat.completions.create(**ASK, stream=True):
                said.append(chunk.choices[0].delta.content or "")
            api.live, api.refusal = set(), SCOPES
            with pytest.raises(openai.AuthenticationError, match="Missing scopes"):
                await client.chat.completions.create(**ASK)
            await client.close()
            assert not network.is_closed
        own = await reader.async_openai_client("acme")
        await own.close()
        return said

    assert asyncio.run(main()) == ["hello", "hello"]
    assert api.keys == [key_text("acme"), key_text("v2"), key_text("v2"), key_text("v3"), key_text("v3")]
