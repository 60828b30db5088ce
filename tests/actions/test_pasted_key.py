"""A key that did not come alone, or is another provider's: refused by its shape, with nothing sent anywhere."""

from __future__ import annotations

from typing import cast

import pytest

import tenancy
from myflux_keys.payload import SecretText
from ops.actions import admin_key, customer_key, pasted_key
from ops.errors import OperationError

PROJECT = "sk-" + "proj-" + "Ab1" * 20
ADMIN = "sk-" + "admin-" + "Ab1" * 20
NOBODY = cast("customer_key.SecretsManagerClient", None)
"""No client of AWS, and no address of OpenAI: whoever calls one fails."""

FLEET = tenancy.load()
CELL = FLEET.cells["local"]
CUSTOMER = next(tenant for tenant in FLEET.tenants.values() if not tenant.minted)


def customers(text: str) -> str:
    with pytest.raises(OperationError) as refused:
        customer_key.store(CELL, CUSTOMER, SecretText(text), "", NOBODY)
    return str(refused.value)


def cells(text: str) -> str:
    with pytest.raises(OperationError) as refused:
        admin_key.store(CELL, SecretText(text), "", NOBODY)
    return str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("\ufeff", "", ["a byte order mark (U+FEFF)"]),
        ("\u200b", "", ["an invisible character (U+200B)"]),
        ('"', '"', ["quotation marks"]),
        ("'", "'", ["quotation marks"]),
        ("\u201c", "\u201d", ["quotation marks"]),
        ("`", "`", ["quotation marks"]),
        ("OPENAI_API_KEY=", "", ["a name and `=`"]),
        ("export OPENAI_API_KEY='", "'", ["a name and `=`", "quotation marks"]),
        ("Bearer ", "", ["the word `Bearer`"]),
        ("Authorization: Bearer ", "", ["a name and a colon", "the word `Bearer`"]),
        ('{"api_key": "', '"}', ["a name and a colon", "quotation marks", "brackets"]),
        ("", ",", ["a comma or semicolon"]),
        ("the key is ", "", ["other text"]),
    ],
)
def test_what_stands_around_a_key_is_named(before: str, after: str, told: list[str]) -> None:
    for key, refused in ((PROJECT, customers), (ADMIN, cells)):
        sentence = refused(before + key + after)
        assert f"Around it: {', '.join(told)}." in sentence
        assert "Give only the key" in sentence
        assert "nothing was stored" in sentence
        assert key not in sentence


@pytest.mark.parametrize(
    ("prefix", "provider"),
    [
        ("sk-" + "ant-api03-", "Anthropic"),
        ("sk-" + "ant-admin01-", "Anthropic"),
        ("sk-" + "or-v1-", "OpenRouter"),
        ("gsk_", "Groq"),
        ("xai-", "xAI"),
        ("AI" + "za", "Google"),
        ("pplx-", "Perplexity"),
        ("hf_", "Hugging Face"),
        ("sk_" + "live_", "Stripe"),
        ("AK" + "IA", "AWS"),
    ],
)
@pytest.mark.parametrize("around", ["", '"'])
def test_another_providers_key_is_refused_by_its_shape(prefix: str, provider: str, around: str) -> None:
    key = prefix + "Q7w" * 16
    for refused in (customers, cells):
        sentence = refused(around + key + around)
        assert f"a key of {provider}," in sentence
        assert "not sent anywhere" in sentence
        assert key not in sentence


@pytest.mark.parametrize("key", [PROJECT, ADMIN, "sk-" + "Ab1" * 16, "sk-" + "svcacct-" + "a-_B" * 20])
def test_a_key_that_stands_alone_is_not_doubted(key: str) -> None:
    assert pasted_key.refusal(key) is None


@pytest.mark.parametrize("text", ["", "garbage", "sk-" + "admin-cut in two", "sk-" + "proj-" + "ключ" * 9])
def test_what_is_no_key_or_was_cut_is_left_to_the_rules_for_keys(text: str) -> None:
    assert pasted_key.refusal(text) is None


def test_a_managed_tenant_gets_no_key_whatever_it_looks_like() -> None:
    managed = next(tenant for tenant in FLEET.tenants.values() if tenant.minted)
    with pytest.raises(OperationError, match="only the rotation function"):
        customer_key.store(CELL, managed, SecretText(PROJECT), "", NOBODY)
