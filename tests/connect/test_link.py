"""A link says one thing in one way: whatever is changed, cut or written otherwise is refused."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared import link
from functions.shared.link import Link

OURS = Link("prod-eu1", "acme", "0123456789abcdef" * 2, 1_796_000_000, 1_796_086_400, "es")
LONGEST = dataclasses.replace(OURS, cell="c" * 20, tenant="t" * 32)
LONGEST_ADDRESS = f"https://{'u' * 32}.lambda-url.ap-southeast-2.on.aws/#"
"""A function URL's id has at most 32 characters, and no Region of the partition `aws` has a longer name."""
KMS = b"a key that only KMS has"

SLUGS = st.from_regex(r"[a-z][a-z0-9-]{2,19}", fullmatch=True)


@st.composite
def links(draw: st.DrawFn) -> Link:
    issued = draw(st.integers(1_700_000_000, 9_000_000_000))
    life = draw(st.integers(link.SHORTEST_SECONDS, link.LONGEST_SECONDS))
    made = draw(st.uuids(version=4)).hex
    return Link(draw(SLUGS), draw(SLUGS), made, issued, issued + life, draw(st.sampled_from(link.LANGUAGES)))


def mac(message: bytes) -> bytes:
    """What GenerateMac with HMAC_SHA_256 computes (RFC 2104)."""
    return hmac.digest(KMS, message, hashlib.sha256)


def accepted(token: str) -> Link | None:
    """What page and promoter do with a token."""
    message, of_message = link.signed_part(token) or link.NO_TOKEN
    return link.read(message) if hmac.compare_digest(mac(message), of_message) else None


def signed(message: str) -> str:
    """A token of any text, signed by whoever may sign."""
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (message.encode(), mac(message.encode()))
    )


@given(links())
def test_what_was_signed_is_what_is_read(made: Link) -> None:
    assert accepted(link.token(made, mac(link.message(made)))) == made


def test_the_longest_link_has_less_than_300_characters() -> None:
    """Mail programs cut long links."""
    token = link.token(LONGEST, mac(link.message(LONGEST)))
    assert len(LONGEST_ADDRESS + token) < 300
    assert len(token) <= link.LONGEST_TOKEN


@given(st.data())
def test_a_changed_character_is_refused_wherever_it_stands(data: st.DataObject) -> None:
    """Also the last one, whose lowest bits base64 does not use."""
    token = link.token(OURS, mac(link.message(OURS)))
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=0x17F).filter(lambda one: one != token[place]))
    assert accepted(token[:place] + other + token[place + 1 :]) is None


@given(st.data())
def test_a_lost_or_added_character_is_refused(data: st.DataObject) -> None:
    token = link.token(OURS, mac(link.message(OURS)))
    place = data.draw(st.integers(0, len(token) - 1))
    added = data.draw(st.sampled_from("=. \n-_A"))
    assert accepted(token[:place] + token[place + 1 :]) is None
    assert accepted(token[:place] + added + token[place:]) is None


@given(links(), links())
def test_no_field_of_one_link_can_be_put_into_another(ours: Link, theirs: Link) -> None:
    """A link of another tenant, cell or language does not give its MAC to ours (F-5)."""
    for field in dataclasses.fields(Link):
        try:
            changed = dataclasses.replace(ours, **{field.name: getattr(theirs, field.name)})
            message = link.message(changed)
        except ValueError:
            continue
        if changed != ours:
            assert accepted(link.token(changed, mac(link.message(ours)))) is None
            assert accepted(link.token(changed, mac(message))) == changed


@pytest.mark.parametrize(
    "message",
    [
        f"1.revoke.prod-eu1.acme.{OURS.id}.1796000000.1796086400.es",
        f"2.connect.prod-eu1.acme.{OURS.id}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1796086400.fr",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1796086400.es.",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1796086400.es\n",
        f"1.connect.prod-eu1.acme.{OURS.id.upper()}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.acme.{OURS.id[:-1]}.1796000000.1796086400.es",
        f"1.connect.prod.eu1.acme.{OURS.id}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.acme/.{OURS.id}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.*.{OURS.id}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.acme.{OURS.id}.01796000000.1796086400.es",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1795999999.es",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1796003599.es",
        f"1.connect.prod-eu1.acme.{OURS.id}.1796000000.1796604801.es",
        f"1.connect.prod-eu1.acmé.{OURS.id}.1796000000.1796086400.es",
        f"1.connect.prod-eu1.acme.{'٣' * 32}.1796000000.1796086400.es",
        "",
    ],
)
def test_a_signed_text_of_another_purpose_or_form_is_no_link(message: str) -> None:
    """Whoever may sign could sign something else with the same key, by mistake or not."""
    assert accepted(signed(message)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "a.b"},
        {"tenant": ""},
        {"id": "0" * 31},
        {"issued": 0},
        {"expires": OURS.issued},
        {"expires": OURS.issued + link.LONGEST_SECONDS + 1},
        {"language": "fr"},
    ],
)
def test_a_link_that_nobody_could_read_is_not_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no link has these fields"):
        link.message(dataclasses.replace(OURS, **changes))


def test_a_mac_of_a_wrong_length_is_not_made_into_a_token() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        link.token(OURS, bytes(31))


@given(st.text(max_size=400))
def test_no_text_raises_and_none_is_a_link(text: str) -> None:
    assert accepted(text) is None


@pytest.mark.parametrize("token", ["", ".", "a.", ".a", "a.a.a", "%.%", "x" * 10_000_000])
def test_what_is_no_token_costs_one_verification_as_a_forged_one_does(token: str) -> None:
    assert link.signed_part(token) is None
    message, of_message = link.NO_TOKEN
    assert (1 <= len(message) <= 4096, len(of_message)) == (True, 32), "KMS takes 1 to 4,096 bytes"


def test_a_link_ends_at_its_last_second() -> None:
    assert not OURS.expired(OURS.expires - 0.001)
    assert OURS.expired(OURS.expires)
