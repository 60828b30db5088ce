"""What `admin-key set` asks of a key before it keeps it, and how our own is told among the organization's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tenancy
from functions.admin_rotation.proof import NO_KEY
from functions.shared.admin_keys import DAY_SECONDS, AdminKeyRecord, own_key
from local.openai.control import EmulatorControl
from myflux_keys.payload import SecretText
from ops.actions import admin_key
from ops.actions.admin_key import AdminKeyError, notices, store
from ops.errors import OperationError
from tests.functions.fake_secrets import refusal

ROOT = Path(__file__).resolve().parents[2]
OpenAI = tuple[str, EmulatorControl]
VALUE = SecretText("sk-" + "admin-" + "a" * 30 + "wxyz")


class Secrets:
    """What storing needs: PutSecretValue, and DescribeSecret to look at what came of it. `live` is the version that is
    AWSCURRENT then."""

    def __init__(self, refuses: str = "", live: str = "v1") -> None:
        self.kept: list[dict[str, Any]] = []
        self._refuses = refuses
        self._live = live

    def describe_secret(self, **_: Any) -> dict[str, Any]:
        return {"VersionIdsToStages": {"v1": [], "v2": []} | {self._live: ["AWSCURRENT"]}}

    def put_secret_value(self, **asked: Any) -> dict[str, str]:
        if self._refuses:
            raise refusal("PutSecretValue", self._refuses)
        self.kept.append(asked)
        return {"VersionId": "v1"}


@pytest.fixture
def cell() -> tenancy.Cell:
    return tenancy.load(ROOT).cells["local"]


def _refused(cell: tenancy.Cell, key: str, url: str) -> str:
    secrets = Secrets()
    with pytest.raises(AdminKeyError) as caught:
        store(cell, SecretText(key), url, secrets)  # type: ignore[arg-type]
    assert not secrets.kept, "nothing was stored"
    assert not key or key not in repr(caught.value)
    return str(caught.value)


def test_a_key_that_aws_took_and_that_is_not_the_live_one_is_told(cell: tenancy.Cell, openai: OpenAI) -> None:
    url, control = openai
    key = control.create_admin_key("by hand", expires_in_seconds=200 * DAY_SECONDS)
    with pytest.raises(OperationError, match="the live version is v2") as caught:
        store(cell, SecretText(key), url, Secrets(live="v2"))  # type: ignore[arg-type]
    assert key not in repr(caught.value)


def test_a_good_key_is_kept_as_it_is_and_the_check_leaves_nothing_behind(cell: tenancy.Cell, openai: OpenAI) -> None:
    url, control = openai
    key = control.create_admin_key("by hand", expires_in_seconds=200 * DAY_SECONDS)
    before = control.state()
    control.clear_calls()
    secrets = Secrets()
    stored = store(cell, SecretText(key), url, secrets)  # type: ignore[arg-type]
    assert secrets.kept == [{"SecretId": cell.names.admin_secret, "SecretString": key}]
    assert stored.notices == ()
    (listed,) = control.state()["admin_keys"]
    assert stored.expires_at == listed["expires_at"]
    assert [k["id"] for k in before["admin_keys"]] == [listed["id"]], "nothing was made, nothing was ended"
    changing = [(call.method, call.status) for call in control.calls() if call.method != "GET"]
    assert changing == [("DELETE", 404)], "the right to write is shown by asking to delete what can't exist"
    assert control.calls()[1].path.endswith(NO_KEY)


@pytest.mark.parametrize("scopes", [["api.management.read"], ["api.usage.read"], ["api.all.read"]])
def test_a_key_that_may_only_look_is_refused_with_the_scope_it_lacks(
    cell: tenancy.Cell, openai: OpenAI, scopes: list[str]
) -> None:
    url, control = openai
    assert "api.management.write" in _refused(cell, control.create_admin_key(scopes=scopes), url)


def test_a_key_of_another_organization_is_refused(cell: tenancy.Cell, openai: OpenAI) -> None:
    url, control = openai
    control.settings(organization_id="org-somebody")
    assert "does not belong to organization org-local" in _refused(cell, control.create_admin_key(), url)


def test_a_dead_key_is_refused(cell: tenancy.Cell, openai: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_key, "_PATIENCE_SECONDS", 0.0)
    assert "OpenAI refuses this key" in _refused(cell, "sk-" + "admin-" + "x" * 60, openai[0])


def test_an_openai_that_cannot_be_asked_keeps_nothing(cell: tenancy.Cell, openai: OpenAI) -> None:
    url, control = openai
    control.fault("500", path="admin_api_keys", count=None)
    assert "could not be checked" in _refused(cell, control.create_admin_key(), url)


def test_an_admin_key_is_not_sent_over_plain_http(cell: tenancy.Cell) -> None:
    assert "is not sent to this address" in _refused(cell, VALUE.reveal(), "http://api.openai.example/v1")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ResourceNotFoundException", "myflux-keys up --cell local"),
        ("AccessDeniedException", "only the cell's deployers"),
        ("LimitExceededException", "Nothing was stored"),
        ("InternalServiceError", "It is not known whether the key was stored"),
    ],
)
def test_what_aws_refuses_is_explained(cell: tenancy.Cell, openai: OpenAI, code: str, told: str) -> None:
    key = openai[1].create_admin_key()
    with pytest.raises(AdminKeyError, match=told):
        store(cell, SecretText(key), openai[0], Secrets(code))  # type: ignore[arg-type]


def record(**changes: Any) -> AdminKeyRecord:
    told: dict[str, Any] = {
        "id": "key_1",
        "name": "n",
        "redacted_value": "sk-admin-****wxyz",
        "created_at": 0,
        "expires_at": None,
        "last_used_at": None,
    }
    return AdminKeyRecord(**(told | changes))


@pytest.mark.parametrize(
    ("days", "told"),
    [(None, "never expires"), (366, "more than a year"), (29, "expires in 29 days"), (365, ""), (30, "")],
)
def test_an_expiry_that_is_none_late_or_near_is_said(days: int | None, told: str) -> None:
    found = list(notices(record(expires_at=None if days is None else days * DAY_SECONDS), 0.0, "replace it"))
    assert (told in found[0] and found[0].endswith("replace it.")) if told else not found


def test_an_expiry_that_cannot_be_told_is_said_too() -> None:
    assert "does not show when this key expires" in next(iter(notices(None, 0.0, "replace it")))


@pytest.mark.parametrize(
    "shown", ["sk-admin-****wxyz", "sk-admin...wxyz", "sk-admin-aaa…wxyz", "sk-admin-**********xyz"]
)
def test_a_key_is_recognised_by_its_beginning_and_end(shown: str) -> None:
    assert record(redacted_value=shown).shows(VALUE)


@pytest.mark.parametrize(
    "shown", ["sk-admin-****abcd", "sk-proj-****wxyz", "", "****", "sk-admin-****", "****wxyz", "sk-admin-wxyz"]
)
def test_another_key_and_one_that_shows_too_little_are_not_taken_for_it(shown: str) -> None:
    assert not record(redacted_value=shown).shows(VALUE)


def test_the_name_that_our_rotation_gave_decides_before_the_redacted_value() -> None:
    alike = [record(id="key_1"), record(id="key_2", name="ours")]
    assert own_key(alike, VALUE) is None, "two fit, so none does"
    found = own_key(alike, VALUE, "ours")
    assert found is not None
    assert found.id == "key_2"
    assert own_key([], VALUE, "ours") is None


def test_days_left_are_negative_after_death_and_unknown_without_expiry() -> None:
    assert record(expires_at=2 * DAY_SECONDS).days_left(DAY_SECONDS) == 1
    assert record(expires_at=DAY_SECONDS).days_left(3 * DAY_SECONDS) == -2
    assert record().days_left(0) is None
