"""What can be taken over, judged from what AWS and the function tell: no value is part of any of it."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

import program
from myflux_keys.payload import Payload
from ops.actions.adopt import Found, ends_early, judged, plan, refused, untouched
from ops.cli.adopt import adopt as adopt_command
from ops.errors import OperationError
from ops.review.rehearsal import rehearse
from ops.rotation_state import facts
from ops.stacks.adoption import imported
from ops.stacks.ending import protected
from tenancy import Cell, Fleet, Tenant

KEY = "arn:aws:kms:us-east-1:000000000000:key/cells"
NAME = "myflux/local/acme/openai"
ARN = f"arn:aws:secretsmanager:us-east-1:000000000000:secret:{NAME}-AbCdEf"


@pytest.fixture
def acme(fleet: Fleet) -> Tenant:
    return fleet.tenants["acme"]


def secret(**changes: Any) -> dict[str, Any]:
    tags: dict[str, str] = changes.pop("tags", {})
    return {
        "ARN": ARN,
        "Name": NAME,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "VersionIdsToStages": {"v": ["AWSCURRENT"]},
        "ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 26 Nov 2026 09:00:00 GMT"}},
        **changes,
    }


@pytest.mark.parametrize(
    "found",
    [
        secret(),
        secret(tags={"tenant": "acme", "cell": "local", "managed-by": "myflux-keys", "team": "travel"}),
        secret(KmsKeyId=KEY),
        secret(KmsKeyId="alias/aws/secretsmanager"),
        secret(VersionIdsToStages={"v": ["AWSCURRENT", "AWSPENDING"], "w": ["AWSPREVIOUS"]}),
        secret(VersionIdsToStages={}),
        secret(DeletedDate=datetime.now(UTC)),
    ],
)
def test_a_secret_that_can_be_taken_over(small_cell: Cell, found: dict[str, Any]) -> None:
    assert refused(found, small_cell.names.tenant("acme"), KEY) is None


@pytest.mark.parametrize(
    ("found", "reason", "way_out"),
    [
        (secret(tags={"tenant": "beta"}), "tenant=beta", "find the owner"),
        (secret(tags={"cell": "prod"}), "cell=prod", "find the owner"),
        (secret(VersionIdsToStages={"v": ["AWSCURRENT"], "w": ["AWSPENDING"]}), "version w", "AWSPENDING"),
        (secret(KmsKeyId="arn:aws:kms:us-east-1:000000000000:key/other"), "key/other", "aws/secretsmanager"),
    ],
)
def test_a_secret_that_cannot_is_refused_with_a_way_out(
    small_cell: Cell, found: dict[str, Any], reason: str, way_out: str
) -> None:
    told = refused(found, small_cell.names.tenant("acme"), KEY)
    assert told is not None
    assert reason in told[0]
    assert way_out in told[1]


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "tenant": "acme",
        "version_id": "v",
        "problem": None,
        "source": "managed",
        "key_id": "key_1",
        "project_id": "proj_1",
        "service_account_id": "svc_1",
        "expires_at": "2027-01-01T00:00:00Z",
        "proof": "accepted",
        "project": "myflux-local-acme",
        "service_account": "myflux-runtime",
        "listed": True,
        **changes,
    }


def test_a_payload_of_this_tenants_is_taken_without_a_word(small_cell: Cell, acme: Tenant) -> None:
    assert judged(answer(), acme, small_cell.names.tenant("acme")) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"problem": "version v holds a value that is not ours: the secret's value is not JSON"}, "not JSON"),
        ({"source": "customer"}, "source: customer"),
        ({"project": "somebody-elses"}, "is called somebody-elses"),
        ({"project": None}, "is archived or does not exist"),
        ({"listed": False}, "does not list its key key_1"),
    ],
)
def test_a_value_that_no_reader_or_rotation_could_use_is_refused_with_what_to_do(
    small_cell: Cell, acme: Tenant, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(OperationError, match=says) as told:
        judged(answer(**changes), acme, small_cell.names.tenant("acme"))
    assert "not changed" in str(told.value)
    assert "payload of schema 1" in str(told.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service_account": "by-hand"}, "at once by `revoke`"),
        ({"proof": "unclear"}, "could not be checked"),
        ({"proof": "unpaid"}, "unpaid"),
        ({"proof": "refused", "listed": False}, "revoked or expired"),
    ],
)
def test_what_a_person_should_know_does_not_stop_it(
    small_cell: Cell, acme: Tenant, changes: dict[str, Any], says: str
) -> None:
    (notice,) = judged(answer(**changes), acme, small_cell.names.tenant("acme"))
    assert says in notice


def test_a_dead_key_of_an_archived_project_means_that_the_slug_is_used_up(small_cell: Cell, acme: Tenant) -> None:
    with pytest.raises(OperationError, match=r"archived.*`myflux-keys new SLUG --from acme`"):
        judged(answer(proof="refused", project=None, listed=False), acme, small_cell.names.tenant("acme"))


def test_a_customers_value_needs_no_project_of_ours(small_cell: Cell, acme: Tenant) -> None:
    customer = acme.model_copy(update={"source": "customer", "rotation": None})
    told = {name: value for name, value in answer(source="customer").items() if name not in ("project", "listed")}
    assert judged(told, customer, small_cell.names.tenant("acme")) == []


def test_an_older_function_is_told_of_and_not_guessed_from(small_cell: Cell, acme: Tenant) -> None:
    told = answer()
    del told["listed"]
    with pytest.raises(OperationError, match="deploy the platform"):
        judged(told, acme, small_cell.names.tenant("acme"))


@pytest.mark.parametrize(
    ("expires_at", "early"),
    [
        ("2026-12-01T00:00:00Z", True),
        ("2027-02-01T00:00:00Z", False),
        ("2027-02-01T00:00:00", True),
        ("whenever", True),
        ("", False),
    ],
)
def test_a_key_that_ends_before_its_next_slot_is_found(expires_at: str, early: bool) -> None:
    assert ends_early(expires_at, datetime(2027, 1, 1, tzinfo=UTC)) == early
    assert not ends_early(expires_at, None), "where nothing rotates there is no slot to miss"


def test_the_plan_says_what_is_replaced(small_cell: Cell, acme: Tenant) -> None:
    names = small_cell.names.tenant("acme")
    steps = plan(acme, names, Found(facts(secret()), {"tenant": "acme"}))
    assert any("resource policy" in step for step in steps)
    assert any("without rotating now" in step for step in steps)
    look, tag = steps[:2]
    assert "check its value" in look, "it is looked at before it gets the tags"
    assert tag.startswith("tag ")
    assert "keep its tags" in plan(acme, names, Found(facts(secret()), {}))[1]
    gone = Found(facts(secret(DeletedDate=datetime.now(UTC), VersionIdsToStages={})), {})
    assert "deletion is scheduled" in plan(acme, names, gone)[0]
    assert "no value" in plan(acme, names, gone)[1]


def test_the_help_says_what_an_adoption_needs(small_cell: Cell) -> None:
    """The secret's name, the payload's fields and the project's name: without them nobody can prepare one."""
    told = " ".join((adopt_command.__doc__ or "").split())
    names = small_cell.names.tenant("acme")
    for name in (names.secret, names.project):
        assert name.replace("local", "CELL").replace("acme", "TENANT") in told
    for field in fields(Payload):
        assert field.name in told, field.name
    assert "--dry-run" in told


def state(*resources: dict[str, Any]) -> str:
    return json.dumps({"resources": list(resources)})


def test_an_import_counts_as_done_only_with_the_rotation_in_it() -> None:
    """A rotation that is made instead of imported makes a key at once."""
    place = {"type": "aws:secretsmanager/secret:Secret", "id": ARN}
    lock = {"type": "aws:secretsmanager/secretPolicy:SecretPolicy", "id": ARN}
    rotation = {"type": "aws:secretsmanager/secretRotation:SecretRotation", "id": ARN}
    assert not imported("{}", ARN, rotates=True)
    assert not imported(state(place, lock), ARN, rotates=True)
    assert imported(state(place, lock), ARN, rotates=False)
    assert imported(state(place, lock, rotation), ARN, rotates=True)
    assert not imported(state(place, rotation), ARN.replace("acme", "beta"), rotates=True)


def test_what_a_state_protects_is_named() -> None:
    urn = "urn:pulumi:acme.prod::myflux-keys::aws:secretsmanager/secret:Secret::acme-key-secret"
    assert protected(state({"urn": urn, "protect": True}, {"urn": "x::y"})) == ["acme-key-secret"]
    assert protected("{}") == []


def test_a_stack_takes_over_its_own_secret_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets the variable by hand may run `pulumi up` of another stack."""
    monkeypatch.setattr(program, "deploy", partial(program.deploy, adopt=ARN))
    assert rehearse("acme.local")
    with pytest.raises(program.StackError, match=r"not the secret of stack fjord\.local"):
        rehearse("fjord.local")


def test_what_is_told_of_the_adopted_key_is_read_afterwards() -> None:
    assert "Readers keep" not in untouched(
        "v", facts(secret(VersionIdsToStages={"w": ["AWSCURRENT"], "v": ["AWSPREVIOUS"]}))
    )
    assert "now also has version w, beside the adopted version v" in untouched(
        "v", facts(secret(VersionIdsToStages={"v": ["AWSCURRENT"], "w": ["AWSPENDING"]}))
    )
    assert untouched("v", facts(secret())) == "Readers keep the adopted key (version v)."
