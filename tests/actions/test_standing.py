"""What `up` sees of a secret before the engine starts, from AWS's answers alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from myflux_keys import names
from ops.errors import OperationError
from ops.stacks.secret_state import GONE, UNSEEN, differences, look, places
from tenancy import Cell, Fleet, Tenant

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-AbCdEf"
TAGS = {
    "tenant": "acme", "cell": "local", "managed-by": "myflux-keys", names.TAG_PERMISSION: "restricted",
    names.TAG_MODELS: "gpt-5.4-mini", names.TAG_EVERY_DAYS: "30", names.TAG_OVERLAP_HOURS: "24",
    names.TAG_PROJECT_ID: "proj_1", names.TAG_SERVICE_ACCOUNT_ID: "svc_1",
}  # fmt: skip


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
    assert look(Secrets(told()), place, never) == []  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("answer", "locked", "says"),
    [
        (told(RotationEnabled=False), True, "its rotation is off"),
        (told({**TAGS, "tenant": "beta"}), True, "its tag tenant is beta"),
        (told({key: value for key, value in TAGS.items() if key != "tenant"}), True, "its tag tenant is gone"),
        (told({**TAGS, names.TAG_MODELS: ""}), True, f"its tag {names.TAG_MODELS} is gone"),
        (told(), False, "its resource policy is gone"),
    ],
)
def test_each_difference_is_told(
    small_cell: Cell, acme: Tenant, answer: dict[str, Any], locked: bool, says: str
) -> None:
    (place,) = places(small_cell, acme)
    assert differences(place, answer, locked=locked) == [says]


def test_a_customers_key_has_no_rotation_to_miss(small_cell: Cell, acme: Tenant) -> None:
    customer = acme.model_copy(update={"source": "customer", "rotation": None, "permission": None})
    (place,) = places(small_cell, customer)
    plain = {key: value for key, value in TAGS.items() if ":" not in key}
    assert differences(place, told(plain, RotationEnabled=False), locked=True) == []


def test_a_secret_that_is_not_there_is_no_obstacle(small_cell: Cell, acme: Tenant) -> None:
    (place,) = places(small_cell, acme)
    assert look(Secrets(None), place, never) == [GONE]  # pyright: ignore[reportArgumentType]


def test_a_role_that_may_not_look_at_what_is_not_made_yet_goes_on(small_cell: Cell, acme: Tenant) -> None:
    """AWS denies a pipeline's role a name without the end that a secret gets when it is made."""

    class Denied:
        def describe_secret(self, **_asked: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeSecret")

    (place,) = places(small_cell, acme)
    assert look(Denied(), place, never) == [UNSEEN]  # type: ignore[arg-type]


def test_a_deletion_that_is_scheduled_is_refused_with_the_date_and_adopt(small_cell: Cell, acme: Tenant) -> None:
    (place,) = places(small_cell, acme)
    ends = told(DeletedDate=datetime(2026, 12, 3, tzinfo=UTC))
    with pytest.raises(OperationError, match=r"2026-12-03.*`myflux-keys adopt acme`"):
        look(Secrets(ends), place, never)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("known", [True, False])
def test_what_adopt_does_not_take_is_restored_where_the_stack_knows_it(
    small_cell: Cell, acme: Tenant, known: bool
) -> None:
    """A dedicated tenant's secret, and the places of admin keys."""
    dedicated = acme.model_copy(update={"isolation": "dedicated"})
    ends = told(DeletedDate=datetime(2026, 12, 3, tzinfo=UTC))
    for place in (*places(small_cell, dedicated), *places(small_cell, None)):
        with pytest.raises(OperationError) as refused:
            look(Secrets(ends), place, lambda _arn: known)  # pyright: ignore[reportArgumentType]
        way_out = (
            f"aws secretsmanager restore-secret --secret-id {place.secret}`, then `{place.up}" if known else place.anew
        )
        assert way_out in str(refused.value)
