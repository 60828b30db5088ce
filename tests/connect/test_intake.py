"""Each object of the intake has one place and one form, and none of them shows a key."""

from __future__ import annotations

import hashlib
import json
import traceback
from typing import Any

import pytest

from functions.shared.intake import Confirmed, HandedIn, IntakeError, Issued, Outcome, Place, digest
from functions.shared.link import Link
from myflux_keys.payload import SecretText

KEY = "sk-" + "svcacct-" + "k" * 60
ID = "0123456789abcdef" * 2
PLACE = Place("acme", ID)


def test_a_link_has_one_place() -> None:
    assert Place.of(Link("prod-eu1", "acme", ID, 1, 2, "es")) == PLACE
    assert Place.in_key(PLACE.handed_in) == PLACE


@pytest.mark.parametrize(
    "key",
    [
        f"handed-in/acme/{ID}/",
        f"handed-in/acme/{ID}.json",
        f"handed-in/acme/../globex/{ID}",
        f"handed-in//{ID}",
        f"handed-in/acme/{ID.upper()}",
        f"outcome/acme/{ID}",
        f"x/handed-in/acme/{ID}",
        "handed-in/",
    ],
)
def test_no_other_object_counts_as_handed_in(key: str) -> None:
    assert Place.in_key(key) is None


def test_what_is_handed_in_is_a_function_of_link_and_key_alone() -> None:
    one, two = HandedIn("token", SecretText(KEY)), HandedIn("token", SecretText(KEY))
    assert one.to_json() == two.to_json()
    assert HandedIn.from_json(one.to_json()) == one


def test_a_tenant_in_the_body_is_never_read() -> None:
    """Whose key it is, the link says (F-5)."""
    text = json.dumps({"schema": 1, "link": "token", "key": KEY, "tenant": "globex"})
    assert HandedIn.from_json(text) == HandedIn("token", SecretText(KEY))


@pytest.mark.parametrize(
    "fields", [{}, {"schema": 2}, {"schema": True}, {"link": None}, {"key": None}, {"key": [KEY]}, {"link": {"a": KEY}}]
)
def test_another_form_is_refused_without_showing_the_key(fields: dict[str, Any]) -> None:
    whole = {"schema": 1, "link": "token", "key": KEY} | fields if fields else {"k": KEY}
    with pytest.raises(IntakeError) as caught:
        HandedIn.from_json(json.dumps(whole))
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [frame for frame in told.stack if frame.filename.endswith("shared/intake.py")]
    assert inside
    assert KEY not in "".join(str(frame.locals) for frame in inside) + str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "7", '"' + KEY + '"', "{", "[" * 100_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    for form in (HandedIn, Issued, Outcome, Confirmed):
        with pytest.raises(IntakeError) as caught:
            form.from_json(text)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "made",
    [
        Issued("acme", "Acmé Travel", ("gpt-6-luna", "gpt-5.4-mini"), "es", 1, 2, "arn:aws:iam::000000000000:user/ann"),
        Outcome("waiting", "2026-11-30T12:00:00Z", organization="acme-x1", last_four="kkkk"),
        Outcome("refused", "2026-11-30T12:00:00Z", reason="revoked"),
        Confirmed("acme-x1", ID, "arn:aws:iam::000000000000:user/ann", "2026-11-30T12:00:00Z"),
    ],
)
def test_objects_are_read_as_they_were_written_also_with_fields_of_a_newer_writer(
    made: Issued | Outcome | Confirmed,
) -> None:
    text = json.dumps(json.loads(made.to_json()) | {"newer": 1})
    assert type(made).from_json(text) == made


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (Outcome, {"state": "proven", "at": "", "reason": "", "organization": "", "last_four": ""}),
        (Outcome, {"state": "promoted", "at": 1, "reason": "", "organization": "", "last_four": ""}),
        (Confirmed, {"organization": None, "link": ID, "by": "", "at": ""}),
        (Issued, {"models": "gpt-6-luna"}),
        (Issued, {"models": []}),
        (
            Issued,
            {
                "tenant": "a",
                "name": "A",
                "models": ["m"],
                "language": "es",
                "issued": True,
                "expires": 2,
                "issued_by": "",
            },
        ),
    ],
)
def test_a_field_of_another_type_is_refused(form: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(IntakeError):
        form.from_json(json.dumps(fields))


def test_a_key_is_known_again_by_its_digest_for_one_link_only() -> None:
    assert digest(ID, SecretText(KEY)) == hashlib.sha256(f"myflux-connect{ID}{KEY}".encode()).hexdigest()
    assert digest(ID, SecretText(KEY)) != digest(ID[::-1], SecretText(KEY))
