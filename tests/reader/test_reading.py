"""A read's calls to AWS: the session tag, the role, the secret, and the sessions between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from myflux_keys import AccessDeniedError, InvalidTenantError, KeyReader
from myflux_keys.tenant_sessions import CALL_LIMITS
from tests.reader.conftest import Clock
from tests.reader.stand_in import ACCOUNT, ASSUME, GET, WHO, Fault, StandIn, key_text

MakeReader = Callable[..., KeyReader]


def test_a_read_assumes_the_cells_runtime_role_with_the_tenants_tag(reader: KeyReader, aws: StandIn) -> None:
    key = reader.get("acme")
    assert key.reveal() == key_text("acme")
    assert [operation for operation, _ in aws.requests] == [WHO, ASSUME, GET]
    assume, get = aws.requests[1][1], aws.requests[2][1]
    assert assume["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/myflux-cell-runtime"
    assert (assume["Tags.member.1.Key"], assume["Tags.member.1.Value"]) == ("tenant", "acme")
    assert "Tags.member.2.Key" not in assume, "the trust policy allows the tag `tenant` and no other"
    assert get == {"SecretId": "myflux/cell/acme/openai", "VersionStage": "AWSCURRENT"}


def test_a_key_tells_everything_but_its_value(reader: KeyReader) -> None:
    key = reader.get("acme")
    assert (key.tenant, key.key_id, key.project_id, key.organization_id) == (
        "acme",
        "key_acme",
        "proj_acme",
        "org-test",
    )
    assert key.base_url == "https://api.openai.example/v1"
    assert (key.models, key.default_model) == (("gpt-5-mini", "gpt-5"), "gpt-5-mini")
    assert key.version_id == "v1"
    assert key.expires_at is not None, "a managed key always ends"
    assert key.expires_at > key.minted_at
    assert key.expires_at.utcoffset() is not None, "times are aware, or comparisons fail in callers"


def test_a_passing_failure_is_retried_within_the_read(aws: StandIn) -> None:
    aws.faults[GET] = Fault(500, times=1)
    with KeyReader("cell", region="eu-central-1") as reader:
        assert reader.get("acme").reveal() == key_text("acme")
    assert aws.calls[GET] == 2


def test_a_call_is_bounded_in_time_and_attempts() -> None:
    limits: Any = CALL_LIMITS
    assert limits.retries["total_max_attempts"] * (limits.connect_timeout + limits.read_timeout) <= 20


def test_each_tenant_is_read_with_a_session_of_its_own(reader: KeyReader, aws: StandIn) -> None:
    aws.put("globex", key_text("globex"))
    assert reader.get("globex").reveal() == key_text("globex")
    assert reader.get("acme").reveal() == key_text("acme")
    tags = [fields["Tags.member.1.Value"] for operation, fields in aws.requests if operation == ASSUME]
    assert tags == ["globex", "acme"]


def test_a_session_is_kept_until_shortly_before_it_expires(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    clock.advance(1800)
    reader.get("acme")
    assert (aws.calls[ASSUME], aws.calls[GET]) == (1, 2), "half an hour on, the session still serves"
    clock.advance(1600)
    reader.get("acme")
    assert (aws.calls[ASSUME], aws.calls[GET]) == (2, 3), "200 s before its end it is renewed"


def test_a_session_that_aws_calls_expired_is_replaced_within_the_read(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    reader.get("acme")
    aws.expired_tokens.add("acme|2")
    clock.advance(400)
    assert reader.get("acme").reveal() == key_text("acme")
    assert aws.calls[ASSUME] == 2


def test_a_denied_session_is_not_kept(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    aws.faults[GET] = Fault(400, "AccessDeniedException", "explicit deny")
    clock.advance(400)
    with pytest.raises(AccessDeniedError):
        reader.get("acme")
    del aws.faults[GET]
    clock.advance(20)
    reader.get("acme")
    assert aws.calls[ASSUME] == 3, "the one from before, one for the same read, and one for the next"


def test_a_session_that_an_operator_ended_is_replaced_within_the_read(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    """IAM denies sessions that began before a time, and allows those that begin now."""
    reader.get("acme")
    aws.faults[GET] = Fault(400, "AccessDeniedException", "explicit deny in an identity-based policy", times=2)
    clock.advance(400)
    assert reader.get("acme").reveal() == key_text("acme")
    assert aws.calls[ASSUME] == 2


def test_the_account_is_asked_for_once(reader: KeyReader, aws: StandIn) -> None:
    aws.put("globex", key_text("globex"))
    reader.get("acme")
    reader.get("globex")
    assert aws.calls[WHO] == 1


def test_a_given_role_is_assumed_and_may_depend_on_the_tenant(make_reader: MakeReader, aws: StandIn) -> None:
    aws.put("globex", key_text("globex"))
    dedicated = {"globex": f"arn:aws:iam::{ACCOUNT}:role/myflux-cell_globex"}
    shared = f"arn:aws:iam::{ACCOUNT}:role/shared"
    make_reader(role_arn=shared).get("acme")
    reader = make_reader(role_arn=lambda tenant: dedicated.get(tenant, shared))
    reader.get("acme")
    reader.get("globex")
    roles = [fields["RoleArn"] for operation, fields in aws.requests if operation == ASSUME]
    assert roles == [shared, shared, dedicated["globex"]]
    assert aws.calls[WHO] == 0, "a given role needs no account to be looked up"


def test_credentials_that_carry_the_tag_already_assume_nothing(make_reader: MakeReader, aws: StandIn) -> None:
    session = boto3.Session("a" * 16, "s" * 40, "acme|0", region_name="eu-central-1")
    reader = make_reader(session=session, assume=False)
    assert reader.get("acme").reveal() == key_text("acme")
    assert set(aws.calls) == {GET}
    aws.put("globex", key_text("globex"))
    with pytest.raises(AccessDeniedError):
        reader.get("globex")


def test_clients_can_be_handed_in_and_stay_the_callers(make_reader: MakeReader, aws: StandIn) -> None:
    session = boto3.Session(region_name="eu-central-1")
    sts, secretsmanager = session.client("sts"), session.client("secretsmanager")
    try:
        with make_reader(sts=sts) as reader:
            reader.get("acme")
        with KeyReader("cell", assume=False, secretsmanager=secretsmanager) as reader:
            reader.get("acme")
        assert sts.get_caller_identity()["Account"] == ACCOUNT, "closing the reader left the given client open"
        assert aws.calls[GET] == 2
    finally:
        sts.close()
        secretsmanager.close()


@pytest.mark.parametrize(
    "tenant", ["", "ab", "Acme", "1acme", "acme/../other", "acme*", "a" * 33, "acmé", "_platform", "acme\n", None, 7]
)
def test_what_can_not_be_a_tenants_name_is_refused_before_any_call(
    reader: KeyReader, aws: StandIn, tenant: object
) -> None:
    with pytest.raises(InvalidTenantError, match="is not a tenant's name"):
        reader.get(tenant)  # pyright: ignore[reportArgumentType]
    assert not aws.calls


def test_a_key_passed_as_a_tenants_name_is_not_repeated(reader: KeyReader) -> None:
    with pytest.raises(InvalidTenantError) as caught:
        reader.get(key_text("oops"))
    assert key_text("oops") not in f"{caught.value} {caught.value.tenant}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ttl": 0}, "ttl"),
        ({"ttl": 1800}, "overlap"),
        ({"ttl": float("nan")}, "ttl"),
        ({"stale_for": -1}, "stale_for"),
        ({"role_arn": "runtime"}, "not the ARN of an IAM role"),
        ({"assume": False, "role_arn": f"arn:aws:iam::{ACCOUNT}:role/x"}, "leave out role_arn"),
        ({"secretsmanager": object()}, "assume=False"),
    ],
)
def test_options_that_can_not_be_right_are_refused_at_once(
    make_reader: MakeReader, options: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        make_reader(**options)


def test_a_cell_that_can_not_be_one_is_refused(aws: StandIn) -> None:
    with pytest.raises(ValueError, match="not a cell's name"):
        KeyReader("Prod", region="eu-central-1")
    KeyReader("cell", region="eu-central-1").close()
