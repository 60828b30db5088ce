"""A customer's own key from the prompt to the model: checked, stored, read by the runtime alone, replaced, aged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

import tenancy
from local.openai.control import EmulatorControl
from myflux_keys import NotReadyError
from myflux_keys.payload import SecretText
from ops.actions import customer_key
from ops.errors import OperationError
from tests.customer_key.conftest import CELL, CUSTOMER, DEDICATED, MANAGED, MODEL, OTHER_MODEL, Place

pytestmark = pytest.mark.cell


@pytest.fixture(autouse=True)
def _whole(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.cell.aws_url)
    place.cell.openai.clear_faults()


@pytest.fixture
def control(place: Place) -> EmulatorControl:
    return place.cell.openai


def test_the_life_of_a_customers_key(place: Place, control: EmulatorControl) -> None:
    with place.reader() as reader, pytest.raises(NotReadyError):
        reader.get(CUSTOMER)
    told = place.command("key", "status", CUSTOMER)
    assert "ask the customer for one" in told.stdout

    first = place.service_account_key()
    stored = place.set(first)
    assert stored.returncode == 0, stored.stderr
    assert json.loads(stored.stdout)["owner"] == "service_account"
    assert not json.loads(stored.stdout)["notices"], "a service account's first key: nothing to warn of"

    with place.reader() as reader:
        key = reader.get(CUSTOMER)
        assert key.reveal() == first
        assert (key.source, key.expires_at, key.project_id, key.models) == ("customer", None, "", (MODEL, OTHER_MODEL))
        with reader.openai_client(CUSTOMER) as client:
            assert client.responses.create(model=MODEL, input="Are you open on Sunday?").output_text
            second = place.service_account_key()
            replaced = place.set(second)
            assert "only the customer can revoke it" in replaced.stderr, "the key before it is not ours to revoke"
            reader.get(CUSTOMER, fresh=True)
            assert client.responses.create(model=MODEL, input="And on Monday?").output_text
        assert reader.get(CUSTOMER, fresh=True).reveal() in (first, second)

    versions = place.stages()
    current = json.loads(replaced.stdout)["version_id"]
    assert versions[current] == ["AWSCURRENT"]
    assert ["AWSPREVIOUS"] in versions.values()
    assert {key.name for key in control.live_keys(place.project, organization_id=place.theirs.organization)} >= {
        "for MyFlux"
    }
    assert (
        len(
            [
                k
                for k in control.live_keys(place.project, organization_id=place.theirs.organization)
                if k.name == "for MyFlux"
            ]
        )
        == 2
    ), "nothing was revoked"

    place.cell.advance(91 * 86_400)
    aged = place.command("key", "status", "--json")
    (row,) = [row for row in json.loads(aged.stdout)["keys"] if row["tenant"] == CUSTOMER]
    assert row["age_days"] == 91
    assert "ask for a new one" in row["notices"][0]


@pytest.mark.parametrize("user", ["deployer", "ci", "stranger", "runtime", "administrator"])
def test_nobody_reads_it_back(place: Place, user: str) -> None:
    place.set(place.service_account_key())
    with pytest.raises(ClientError, match="AccessDenied"):
        place.ask(user, "secretsmanager", "get_secret_value", SecretId=place.names.tenant(CUSTOMER).secret)


def test_a_persons_key_is_kept_with_a_standing_warning_until_a_better_one_comes(
    place: Place, control: EmulatorControl
) -> None:
    stored = place.set(control.create_user_key(place.project))
    assert stored.returncode == 0, stored.stderr
    assert "stops working when that person leaves" in stored.stderr
    standing = place.command("key", "status", CUSTOMER)
    assert "stops working when that person leaves" in standing.stdout, "and not only at the moment of storing"
    place.set(place.service_account_key())
    assert "stops working when that person leaves" not in place.command("key", "status", CUSTOMER).stdout
    assert not [labels for labels in place.stages().values() if "myflux-persons-key" in labels], (
        "a label would keep the replaced key in Secrets Manager for ever"
    )


def test_an_admin_key_is_refused_without_being_sent_anywhere(place: Place, control: EmulatorControl) -> None:
    key = control.create_admin_key("brought by the customer")
    asked = len(control.calls())
    refused = place.set(key)
    assert refused.returncode == 1
    assert "this is an admin key" in refused.stderr
    assert len(control.calls()) == asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no key was given"),
        ("hello", "not an OpenAI key"),
        ("sk-" + "proj-" + "x" * 10, "too short"),
        ("sk-" + "proj-" + "x" * 40 + " y", "white space"),
        ("sk-" + "proj-" + "x" * 40 + "\u200b", "an invisible character (U+200B)"),
        ("sk-" + "proj-" + "ключ" * 10, "non-ASCII"),
    ],
)
def test_what_is_no_key_is_refused_before_openai_is_asked(
    place: Place, control: EmulatorControl, text: str, told: str
) -> None:
    before, asked = place.stages(), len(control.calls())
    refused = place.set(text)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert (place.stages(), len(control.calls())) == (before, asked)
    assert len(text) < 15 or text.strip() not in refused.stdout + refused.stderr


def test_a_managed_tenants_key_is_never_stored_by_hand(place: Place) -> None:
    refused = place.set(place.service_account_key(), tenant=MANAGED)
    assert refused.returncode == 1
    assert "is managed" in refused.stderr
    with pytest.raises(ClientError, match="AccessDenied"):
        place.ask(
            "deployer",
            "secretsmanager",
            "put_secret_value",
            SecretId=place.names.tenant(MANAGED).secret,
            SecretString="by hand",
        )


def test_a_key_that_somebody_else_stored_over_is_not_said_to_be_stored(place: Place) -> None:
    fleet = tenancy.load(place.fleet)
    client = place.cell.client("deployer", "secretsmanager")

    class Overtaken:
        """Another deployer stores a key right after ours."""

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def put_secret_value(self, **asked: Any) -> Any:
            answer = client.put_secret_value(**asked)
            client.put_secret_value(SecretId=asked["SecretId"], SecretString="theirs")
            return answer

    key = SecretText(place.service_account_key())
    with pytest.raises(OperationError, match="somebody else stored a key at the same time"):
        customer_key.store(fleet.cells[CELL], fleet.tenants[CUSTOMER], key, place.cell.openai_url, Overtaken())  # type: ignore[arg-type]
    client.close()
    assert place.set(place.service_account_key()).returncode == 0


def test_an_unknown_tenant_and_one_without_a_place_are_refused(place: Place) -> None:
    assert "there is no tenant `initec`" in place.set("x", tenant="initec").stderr
    refused = place.set(place.service_account_key(), tenant=DEDICATED)
    assert "myflux-keys up hooli" in refused.stderr


@pytest.mark.parametrize("user", ["ci", "stranger", "runtime"])
def test_only_deployers_store_it(place: Place, user: str) -> None:
    before = place.stages()
    refused = place.set(place.service_account_key(), user=user)
    assert refused.returncode == 1
    assert "AWS refuses" in refused.stderr
    assert place.stages() == before


def _refused(place: Place, key: str, told: str) -> None:
    before = place.stages()
    refused = place.set(key)
    assert refused.returncode == 1, refused.stdout
    assert told in refused.stderr
    assert key not in refused.stdout + refused.stderr
    assert place.stages() == before, "nothing was stored"


def test_a_dead_key_is_refused(place: Place) -> None:
    key = place.service_account_key(expires_in_seconds=60)
    place.cell.advance(61)
    _refused(place, key, "OpenAI refuses this key")


def test_a_key_that_may_not_call_models_is_refused_with_what_it_lacks(place: Place) -> None:
    _refused(place, place.service_account_key(scopes=["api.model.read"]), "Responses (Write)")
    _refused(place, place.service_account_key(scopes=["api.all.read"]), "Responses (Write)")


def test_a_restricted_key_that_may_call_and_not_look_is_good(place: Place) -> None:
    stored = place.set(place.service_account_key(scopes=["model.request", "api.responses.write"]))
    assert stored.returncode == 0, stored.stderr


def test_a_model_that_the_customers_project_does_not_offer_is_named(place: Place) -> None:
    place.limit("POST", "/model_permissions", {"mode": "allow_list", "model_ids": [MODEL]})
    try:
        _refused(place, place.service_account_key(), OTHER_MODEL)
    finally:
        place.limit("POST", "/model_permissions", {"mode": "deny_list", "model_ids": []})


def test_a_key_without_money_behind_it_is_refused(place: Place, control: EmulatorControl) -> None:
    control.fault("balance_gone", count=None)
    _refused(place, place.service_account_key(), "balance is empty")


def test_an_openai_that_fails_is_asked_again_and_then_nothing_is_kept(place: Place, control: EmulatorControl) -> None:
    key = place.service_account_key()
    control.fault("500", method="GET", path="/models/", count=1)
    assert place.set(key).returncode == 0, "one failure says nothing about the key"
    control.fault("500", method="GET", path="/models/", count=None)
    _refused(place, key, "could not be checked")


def test_no_key_was_ever_printed_or_recorded(place: Place, control: EmulatorControl) -> None:
    place.set(place.service_account_key())
    printed = "".join(place.said)
    events = place.ask("administrator", "cloudtrail", "lookup_events")["Events"]
    assert [event for event in events if event["EventName"] == "PutSecretValue"], "the trail does hold the writes"
    recorded = json.dumps(events, default=str)
    for key in control.minted():
        assert key.value not in printed
        assert key.value not in recorded
