"""What people paste where a key is asked for: the key is found in it, or what it is instead is named.

Each row is a paste as it happens: from a mail, a chat, a file, a telephone. The properties say what holds for all keys
and all texts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.connect import paste
from functions.shared.vendors import VENDORS

OURS = "sk-" + "svcacct-" + "Ab1_-xYz" * 15
PERSONS = "sk-" + "proj-" + "Qr7-_tUv" * 15
LEGACY = "sk-" + "Zt4Kp9" * 8
ADMIN = "sk-" + "admin-" + "Lm2Np5" * 12

HALF = len(OURS) // 2
DRESSED = {
    "alone": (OURS, ()),
    "blanks and a line end around": (f"  {OURS} \n", ("spaces",)),
    "a no-break space after, as iOS copies": (OURS + "\u00a0", ("spaces",)),
    "a zero-width space before": ("\u200b" + OURS, ("invisible",)),
    "a byte order mark": ("\ufeff" + OURS, ("invisible",)),
    "a soft hyphen within": (OURS[:HALF] + "\u00ad" + OURS[HALF:], ("invisible",)),
    "wrapped by a mail": (OURS[:HALF] + "\n" + OURS[HALF:], ("lines",)),
    "wrapped by a mail of Windows, quoted in the answer": (OURS[:HALF] + "\r\n> " + OURS[HALF:], ("lines",)),
    "wrapped within its prefix": (OURS[:3] + "\n" + OURS[3:], ("lines",)),
    "en dashes of Word": (OURS.replace("-", "–"), ("dashes",)),
    "non-breaking hyphens": (OURS.replace("-", "\u2011"), ("dashes",)),
    "minus signs": (OURS.replace("-", "\u2212"), ("dashes",)),
    "typographic quotes": (f"“{OURS}”", ("quotes",)),
    "guillemets": (f"«{OURS}»", ("quotes",)),
    "backticks of a chat": (f"`{OURS}`", ("quotes",)),
    "a full stop": (OURS + ".", ("quotes",)),
    "a comma": (OURS + ",", ("quotes",)),
    "a line of a settings file": (f"OPENAI_API_KEY={OURS}", ("name",)),
    "quoted in it": (f'OPENAI_API_KEY="{OURS}"', ("quotes", "name")),
    "exported": (f"export OPENAI_API_KEY='{OURS}'", ("quotes", "name")),
    "of PowerShell": (f'$env:OPENAI_API_KEY = "{OURS}"', ("quotes", "name")),
    "of JSON": (json.dumps({"api_key": OURS}), ("quotes", "name")),
    "a header": (f"Authorization: Bearer {OURS}", ("name", "bearer")),
    "the word Bearer": (f"bearer {OURS}", ("bearer",)),
    "a capital that a telephone typed": ("S" + OURS[1:], ("capitals",)),
    "twice the same": (f"{OURS}\n{OURS}", ("repeated",)),
}


@pytest.mark.parametrize("case", DRESSED)
def test_the_key_is_found_and_what_was_cleaned_is_said(case: str) -> None:
    text, cleaned = DRESSED[case]

    pasted = paste.read(text)

    assert pasted.key is not None, pasted.fault
    assert (pasted.key.reveal(), pasted.cleaned) == (OURS, cleaned)


@pytest.mark.parametrize(("key", "owner"), [(OURS, "service_account"), (PERSONS, "person"), (LEGACY, "person")])
def test_the_prefix_says_whose_key_it_is(key: str, owner: str) -> None:
    assert paste.read(key).owner == owner


NAMED = {
    "nothing": ("", "empty"),
    "blanks alone": (" \n\u00a0\u200b", "empty"),
    "an admin key": (ADMIN, "admin_key"),
    "an admin key among other text": (f"here it is: {ADMIN}, thanks", "admin_key"),
    "an admin key beside a key": (f"{OURS}\n{ADMIN}", "admin_key"),
    "an admin key with dashes of Word": (ADMIN.replace("-", "–"), "admin_key"),
    "an admin key wrapped within its prefix": (ADMIN[:3] + "\n" + ADMIN[3:], "admin_key"),
    "an admin key so wrapped, beside a key": (f"{OURS}\n{ADMIN[:3]}\n{ADMIN[3:]}", "admin_key"),
    "an admin key with a capital": ("Sk-Admin-" + ADMIN[9:], "admin_key"),
    "two keys": (f"{OURS}\n{PERSONS}", "two_keys"),
    "a key and a cut one": (f"{OURS} {OURS[:-3]}", "two_keys"),
    "the list of keys shows it masked": ("sk-" + "...abcd", "masked"),
    "masked with one character": ("sk-" + "proj-…abcd", "masked"),
    "masked with stars": ("sk-" + "svcacct-****abcd", "masked"),
    "masked with bullets": ("sk-" + "••••••••abcd", "masked"),
    "dots that are no key at all": ("••••••••", "masked"),
    "an organization's id": ("org-" + "a1B2c3D4e5F6", "organization_id"),
    "an organization's id with its name": ("OPENAI_ORG_ID=org-" + "a1B2c3D4e5F6", "organization_id"),
    "a project's id": ("proj_" + "a1B2c3D4e5F6", "project_id"),
    "a key's id": ("key_" + "a1B2c3D4e5F6", "key_id"),
    "a session's key": ("sess-" + "a1B2c3D4e5F6", "session_key"),
    "an e-mail address": ("ana@hotel-sol.example", "email"),
    "the page's address": ("https://platform.openai.com/api-keys", "address"),
    "the code of a text message": ("123456", "code"),
    "a password": ("Hunter2!correct", "password"),
    "a sentence": ("I could not find the key", "other_text"),
    "a key in a sentence": (f"my key is {OURS}", "other_text"),
    "a key before a sentence": (f"{OURS}, thank you", "other_text"),
    "a blank within": (OURS[:HALF] + " " + OURS[HALF:], "blank_inside"),
    "letters that no key has": (OURS[:-1] + "ñ", "strange_characters"),
    "the first part alone": (OURS[:30], "cut"),
    "a whole page": ("x" * (paste.LONGEST_PASTE + 1), "too_long"),
    "a key with a page behind it": (OURS + "a" * 400, "too_long"),
}


@pytest.mark.parametrize("case", NAMED)
def test_what_is_no_project_key_is_named(case: str) -> None:
    text, fault = NAMED[case]

    pasted = paste.read(text)

    assert (pasted.key, pasted.fault) == (None, fault)


@pytest.mark.parametrize("prefix", VENDORS)
def test_another_providers_key_is_named_with_its_provider(prefix: str) -> None:
    for text in (prefix + "a1B2" * 12, f"API_KEY={prefix}" + "a1B2" * 12):
        pasted = paste.read(text)
        assert (pasted.key, pasted.fault, pasted.vendor) == (None, "vendor", VENDORS[prefix])


KEYS = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["sk-" + "svcacct-", "sk-" + "proj-"]),
    st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{40,160}"), fullmatch=True),
)
AROUND = st.text(st.sampled_from(" \t\n\r\u00a0\u2003\u200b\u200d\u2060\ufeff\"'`“”«»<>"), max_size=8)


@given(KEYS, AROUND, AROUND, st.lists(st.integers(3, 200), max_size=4))
def test_any_key_in_any_dress_is_the_same_key(key: str, before: str, after: str, breaks: list[int]) -> None:
    wrapped = key
    for place in sorted({place for place in breaks if place < len(key)}, reverse=True):
        wrapped = f"{wrapped[:place]}\n  {wrapped[place:]}"

    pasted = paste.read(before + wrapped + after)

    assert pasted.key is not None, pasted.fault
    assert pasted.key.reveal() == key


@given(KEYS)
def test_a_clean_key_stays_as_it_is(key: str) -> None:
    assert paste.read(key).cleaned == ()


@given(st.one_of(st.text(max_size=400), st.text(st.sampled_from("sk-–projadmin \n\"'=:.…*>Bearer"), max_size=80)))
def test_every_text_gets_a_key_or_one_known_fault_which_holds_nothing_of_it(text: str) -> None:
    pasted = paste.read(text)

    assert (pasted.key is None) == (pasted.fault in paste.FAULTS)
    if pasted.key is not None:
        assert re.fullmatch(r"sk-[A-Za-z0-9_-]+", pasted.key.reveal())
        assert not pasted.key.reveal().startswith("sk-" + "admin-")
        assert pasted.key.reveal() not in repr(pasted)


@given(st.text(st.sampled_from("a1 -_.='\"\n…*"), max_size=30), st.text(st.sampled_from("a1 -_.='\"\n…*"), max_size=30))
def test_an_admin_key_is_never_taken_for_a_key_whatever_stands_around_it(before: str, after: str) -> None:
    pasted = paste.read(f"{before} {ADMIN}{after}")

    assert pasted.key is None


def test_a_paste_of_the_greatest_length_is_read_at_once() -> None:
    """No pattern may look back again and again: the text comes from the public network."""
    for unit in ("sk-", "a=", "bearer ", "org-", "…", " \n", "-", "sk-a\n", "a.", "eyJ."):
        assert paste.read(unit * (paste.LONGEST_PASTE // len(unit))).key is None


def test_there_is_one_source_of_these_rules() -> None:
    """The browser must not judge what was pasted by rules of its own."""
    page = Path(paste.__file__).parent / "page"
    assert not [
        file.name for file in page.glob("*.js") if "admin-" in file.read_text() or "svcacct" in file.read_text()
    ]
