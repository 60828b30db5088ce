"""From a role's session to a model's answer without a key: STS's token, OpenAI's exchange, OpenAI's own client."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openai import OAuthError, OpenAI

from local.aws.federation.settings import PrincipalTags, Settings, choose
from myflux_keys import WebIdentityError, aws_web_identity_token_provider
from tests.keyless.world import AUDIENCE, GET, SAME_TENANT, TAG, Keyless, allow

MODEL = "gpt-5.4-mini"


def say(client: OpenAI, text: str = "hello") -> str:
    return client.responses.create(model=MODEL, input=text).output_text


def refused(call: Any) -> str:
    """The code of OpenAI's refusal to exchange."""
    with pytest.raises(OAuthError) as caught:
        call()
    return str(caught.value.error)


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_a_session_of_the_tenant_is_answered(keyless: Keyless, algorithm: Any) -> None:
    provider = aws_web_identity_token_provider(AUDIENCE, session=keyless.session("acme"), signing_algorithm=algorithm)
    with keyless.client("acme", provider=provider) as client:
        assert "hello" in say(client)
        assert "again" in say(client, "again")
    assert keyless.exchanges() == 1


def test_the_async_client_too(keyless: Keyless) -> None:
    async def ask() -> str:
        async with keyless.async_client("acme") as client:
            return (await client.responses.create(model=MODEL, input="hello")).output_text

    assert "hello" in asyncio.run(ask())


def test_usage_is_the_tenants_own(keyless: Keyless) -> None:
    before = {project.id: project.spent_usd for project in keyless.cell.openai.projects()}
    with keyless.client("globex") as client:
        say(client)
    after = {project.id: project.spent_usd for project in keyless.cell.openai.projects()}
    changed = [identifier for identifier, spent in after.items() if spent != before[identifier]]
    assert changed == [keyless.tenants["globex"].project_id]


def test_a_session_of_one_tenant_never_gets_the_others_token(keyless: Keyless) -> None:
    with keyless.client("globex", session=keyless.session("acme")) as client:
        assert refused(lambda: say(client)) == "invalid_grant"


def test_another_role_with_the_tenants_tag_is_nobody(keyless: Keyless) -> None:
    other = keyless.role("keyless-other", allow(GET))
    with keyless.client("acme", session=keyless.session("acme", other)) as client:
        assert refused(lambda: say(client)) == "invalid_grant"


@pytest.mark.parametrize(
    ("choice", "answered"), [("session over role", True), ("session alone", True), ("role alone", False)]
)
def test_the_session_tag_decides_where_aws_states_it_and_nobody_is_let_in_where_not(
    keyless: Keyless, choice: PrincipalTags, answered: bool
) -> None:
    choose(keyless.cell.home, Settings(principal_tags=choice))
    with keyless.client("acme") as client:
        if answered:
            assert "hello" in say(client)
        else:
            assert refused(lambda: say(client)) == "invalid_grant"


@pytest.fixture(scope="module")
def by_request_tag(world: Keyless) -> str:
    """A role that IAM holds to its own tenant's request tag, and a rule of acme that matches that tag."""
    role = world.role("keyless-by-request", allow([GET, TAG], Condition=SAME_TENANT))
    project = world.tenants["acme"].project_id
    organization = world.admin.admin.organization
    account = organization.projects.service_accounts.create(project, name="asked", create_service_account_only=True)
    organization.projects.service_accounts.update(account.id, project_id=project, role="member")
    organization.workload_identity_providers.federation_rules.create(
        world.provider_id,
        attribute_matchers={"sub": role, "openai.asked_tenant": "acme"},
        project_id=project,
        service_account_id=account.id,
    )
    world.tenants["acme by request"] = type(world.tenants["acme"])(project, account.id)
    return role


@pytest.mark.parametrize("choice", ["session over role", "role alone"])
def test_a_request_tag_that_iam_holds_to_the_sessions_own_serves_whatever_aws_states(
    keyless: Keyless, by_request_tag: str, choice: PrincipalTags
) -> None:
    choose(keyless.cell.home, Settings(principal_tags=choice))

    def client(of: str, asked: str) -> OpenAI:
        provider = aws_web_identity_token_provider(
            AUDIENCE, session=keyless.session(of, by_request_tag), tags={"tenant": asked}
        )
        return keyless.client("acme by request", provider=provider)

    with client("acme", "acme") as own, client("globex", "acme") as pretending, client("globex", "globex") as honest:
        assert "hello" in say(own)
        with pytest.raises(
            WebIdentityError, match=r"Allow its role sts:GetWebIdentityToken and, for its tags"
        ) as caught:
            say(pretending)
        assert caught.value.code == "AccessDenied"
        assert refused(lambda: say(honest)) == "invalid_grant"


def test_a_request_tag_alone_lets_anybody_in_who_may_tag(keyless: Keyless, by_request_tag: str) -> None:
    """Why the condition is needed: the rule sees what the caller chose."""
    iam = keyless.cell.client("administrator", "iam")
    name = by_request_tag.rpartition("/")[2]
    held = iam.get_role_policy(RoleName=name, PolicyName="tokens")["PolicyDocument"]
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=_wide())
    provider = aws_web_identity_token_provider(
        AUDIENCE, session=keyless.session("globex", by_request_tag), tags={"tenant": "acme"}
    )
    with keyless.client("acme by request", provider=provider) as client:
        assert "hello" in say(client)
    iam.delete_role_policy(RoleName=name, PolicyName="wide")
    assert iam.get_role_policy(RoleName=name, PolicyName="tokens")["PolicyDocument"] == held


def _wide() -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*Token","Resource":"*"}]}'


def test_a_token_that_openai_refuses_is_exchanged_once_more(keyless: Keyless) -> None:
    with keyless.client("acme") as client:
        say(client)
        keyless.cell.advance(301)
        assert "again" in say(client, "again"), "the SDK's own clock has not moved: it learns by the 401"
        assert keyless.exchanges() == 2


def test_a_token_of_aws_that_has_expired_is_worth_nothing(keyless: Keyless) -> None:
    kept = aws_web_identity_token_provider(AUDIENCE, session=keyless.session("acme"), duration_seconds=60)[
        "get_token"
    ]()
    keyless.cell.advance(61)
    stale: Any = {"token_type": "jwt", "get_token": lambda: kept}
    with keyless.client("acme", provider=stale) as client:
        assert refused(lambda: say(client)) == "invalid_subject_token"


def test_twenty_threads_make_one_exchange(keyless: Keyless) -> None:
    together = threading.Barrier(20)
    with keyless.client("acme") as client, ThreadPoolExecutor(20) as threads:

        def ask(number: int) -> str:
            together.wait(600)
            return say(client, f"question {number}.")

        answers = list(threads.map(ask, range(20)))
    assert all(f"question {number}." in answer for number, answer in enumerate(answers))
    assert keyless.exchanges() == 1


def test_no_key_was_made_for_any_of_this(keyless: Keyless) -> None:
    with keyless.client("acme") as client:
        say(client)
    project = keyless.tenants["acme"].project_id
    assert {one.kind for one in keyless.cell.openai.minted() if one.project_id == project} == {"access_token"}
    assert keyless.cell.openai.live_keys(project) == []
