"""What `up` sees of a secret before the engine starts, from AWS's answers alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from myflux_keys import names
from ops.actions.customer_key import key_status
from ops.actions.rotate import not_startable
from ops.errors import OperationError
from ops.rotation_state import SecretFacts
from ops.stacks import check_secrets
from ops.stacks.secret_state import GONE, UNSEEN, differences, differences_in_aws, places
from tenancy import Cell, Fleet, Tenant
from tests.tenancy.files import Files

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-AbCdEf"
TAGS = {
    "tenant": "acme",
    "cell": "local",
    "managed-by": "myflux-keys",
    names.TAG_PERMISSION: "restricted",
    names.TAG_MODELS: "gpt-5.4-mini",
    names.TAG_EVERY_DAYS: "30",
    names.TAG_OVERLAP_HOURS: "24",
    names.TAG_PROJECT_ID: "proj_1",
    names.TAG_SERVICE_ACCOUNT_ID: "svc_1",
}


@pytest.fixture
def acme(fleet: Fleet) -> Tenant:
    return fleet.tenants["acme"]


def told(tags: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "ARN": ARN,
        "Name": "myflux/local/acme/openai",
        "RotationEnabled": True,
        "Tags": [{"Key": key, "Value": value} for key, value in (TAGS if tags is None else tags).items()],
        "ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 26 Nov 2026 09:00:00 GMT"}},
        **changes,
    }


class Secrets:
    """AWS's answers about one secret."""

    def __init__(self, answer: dict[str, Any] | None, policy: str = "{}") -> None:
        self._answer = answer
        self._policy = policy

    def describe_secret(self, **_asked: str) -> dict[str, Any]:
        if self._answer is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeSecret")
        return self._answer

    def get_resource_policy(self, **_asked: str) -> dict[str, Any]:
        return {"ResourcePolicy": self._policy}


def never(_arn: str) -> bool:
    raise AssertionError("the state is read, which takes an engine, though nothing hangs on it")


def test_a_secret_as_the_files_want_it_costs_two_calls_and_says_nothing(small_cell: Cell, acme: Tenant) -> None:
    (place,) = places(small_cell, acme)
    assert differences_in_aws(Secrets(told()), place, never) == []  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("answer", "has_policy", "says"),
    [
        (told(RotationEnabled=False), True, "its rotation is off"),
        (told({**TAGS, "tenant": "beta"}), True, "its tag tenant is beta"),
        (told({key: value for key, value in TAGS.items() if key != "tenant"}), True, "its tag tenant is missing"),
        (told({**TAGS, names.TAG_MODELS: ""}), True, f"its tag {names.TAG_MODELS} is missing"),
        (told(), False, "its resource policy is missing"),
    ],
)
def test_each_difference_is_told(
    small_cell: Cell, acme: Tenant, answer: dict[str, Any], has_policy: bool, says: str
) -> None:
    (place,) = places(small_cell, acme)
    assert differences(place, answer, has_policy=has_policy) == [says]


def test_a_customers_key_has_no_rotation_to_miss(small_cell: Cell, acme: Tenant) -> None:
    customer = acme.model_copy(update={"source": "customer", "rotation": None, "permission": None})
    (place,) = places(small_cell, customer)
    plain = {key: value for key, value in TAGS.items() if ":" not in key}
    assert differences(place, told(plain, RotationEnabled=False), has_policy=True) == []


def test_a_secret_that_is_not_there_is_no_obstacle(small_cell: Cell, acme: Tenant) -> None:
    (place,) = places(small_cell, acme)
    assert differences_in_aws(Secrets(None), place, never) == [GONE]  # pyright: ignore[reportArgumentType]


def test_a_role_that_may_not_look_at_what_is_not_made_yet_goes_on(small_cell: Cell, acme: Tenant) -> None:
    """AWS denies a pipeline's role a name without the end that a secret gets when it is made."""

    class Denied:
        def describe_secret(self, **_asked: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeSecret")

    (place,) = places(small_cell, acme)
    assert differences_in_aws(Denied(), place, never) == [UNSEEN]  # type: ignore[arg-type]


def test_a_deletion_that_is_scheduled_is_refused_with_the_date_and_adopt(small_cell: Cell, acme: Tenant) -> None:
    (place,) = places(small_cell, acme)
    ends = told(DeletedDate=datetime(2026, 12, 3, tzinfo=UTC))
    with pytest.raises(OperationError, match=r"2026-12-03.*`myflux-keys adopt acme`"):
        differences_in_aws(Secrets(ends), place, never)  # pyright: ignore[reportArgumentType]


def test_after_a_destroy_the_slug_is_used_up_and_another_is_named_if_its_keys_were_minted(
    small_cell: Cell, acme: Tenant
) -> None:
    """`adopt` refuses an archived project; a customer's own key has none of ours."""
    another = "`myflux-keys new SLUG --from acme`"
    secret = small_cell.names.tenant("acme").secret
    theirs = acme.model_copy(update={"source": "customer", "rotation": None})
    for tenant, named in ((acme, True), (theirs, False)):
        (place,) = places(small_cell, tenant)
        ends = told(DeletedDate=datetime(2026, 12, 3, tzinfo=UTC))
        with pytest.raises(OperationError) as refused:
            differences_in_aws(Secrets(ends), place, never)  # pyright: ignore[reportArgumentType]
        assert (another in str(refused.value)) == named
    found = SecretFacts(secret, secret, {}, True, datetime.now(UTC), deleted=datetime(2026, 12, 3, tzinfo=UTC))
    assert another in (not_startable(found, "acme") or "")


@pytest.mark.parametrize("known", [True, False])
def test_what_adopt_does_not_take_is_restored_where_the_stack_knows_it(
    small_cell: Cell, acme: Tenant, known: bool
) -> None:
    """A dedicated tenant's secret, and the places of admin keys."""
    dedicated = acme.model_copy(update={"isolation": "dedicated"})
    ends = told(DeletedDate=datetime(2026, 12, 3, tzinfo=UTC))
    for place in (*places(small_cell, dedicated), *places(small_cell, None)):
        with pytest.raises(OperationError) as refused:
            differences_in_aws(Secrets(ends), place, lambda _arn: known)  # pyright: ignore[reportArgumentType]
        way_out = (
            f"aws secretsmanager restore-secret --secret-id {place.secret}`, then `{place.up}" if known else place.anew
        )
        assert way_out in str(refused.value)


def test_a_customers_admin_key_is_not_given_up_for_a_slug_that_cannot_be_used_again(
    small_cell: Cell, acme: Tenant
) -> None:
    """After a destroy both secrets are on their way out: what is told first must not be the deletion of theirs."""
    theirs = acme.model_copy(update={"source": "customer", "organization_id": "org-theirs"})
    first, second = places(small_cell, theirs)
    own = small_cell.names.tenant("acme")
    assert (first.secret, second.secret) == (own.secret, own.admin_secret)


REFUSED = "You can't create this secret because a secret with this name is already scheduled for deletion. {}"


@pytest.mark.parametrize(
    ("stack", "output", "says"),
    [
        ("acme.local", 'unknown stack "organization/myflux-keys/local"', "`myflux-keys up --cell local`"),
        ("acme.local", REFUSED.format("myflux/local/acme/openai"), "`myflux-keys adopt acme`"),
        (
            "local",
            REFUSED.format("myflux-admin/local/openai"),
            "--force-delete-without-recovery`, then `myflux-keys up --cell local`",
        ),
        (
            "local",
            'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/tpyo"',
            "arn:aws:iam::000000000000:role/tpyo does not exist",
        ),
        ("local", "something else", ""),
    ],
)
def test_what_the_engine_was_refused_is_explained_for_tenants_and_platforms(
    tmp_path: Path, stack: str, output: str, says: str
) -> None:
    Files(tmp_path).tenant()
    told = check_secrets.way_out(tmp_path, stack, output)
    assert says in told
    assert bool(told) == bool(says)


def test_the_status_of_a_customers_key_without_a_secret_names_the_command_that_makes_the_stack(
    small_cell: Cell, acme: Tenant
) -> None:
    class Nothing:
        def list_secret_version_ids(self, **_asked: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "ListSecretVersionIds")

    customer = acme.model_copy(update={"source": "customer", "rotation": None})
    (notice,) = key_status(small_cell, customer, Nothing()).notices  # type: ignore[arg-type]
    assert "`myflux-keys up acme`" in notice
    assert "pulumi up" not in notice, "it refuses a stack that does not exist"
