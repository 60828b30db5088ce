"""The part of CEL that attribute transformations may use: what it is worth, what fails, and what is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.openai.federation.cel import NotCel, NotHere, parse
from local.openai.federation.cel_values import Failed, scalar

CLAIMS: dict[str, Any] = {
    "sub": "arn:aws:iam::111122223333:role/runtime",
    "ref": "refs/heads/main",
    "run": 7,
    "ratio": 0.5,
    "live": True,
    "nothing": None,
    "groups": ["a", "b"],
    "https://sts.amazonaws.com/": {"principal_tags": {"tenant": "acme"}},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("assertion.sub", CLAIMS["sub"]),
        ('assertion["https://sts.amazonaws.com/"]["principal_tags"]["tenant"]', "acme"),
        ("assertion['https://sts.amazonaws.com/'].principal_tags.tenant", "acme"),
        ('assertion.ref + "@" + assertion.sub', f"{CLAIMS['ref']}@{CLAIMS['sub']}"),
        ('assertion.ref == "refs/heads/main"', True),
        ('assertion.ref != "refs/heads/main"', False),
        ("assertion.run + 1", 8),
        ("assertion.run >= 7 && assertion.run < 0x8", True),
        ("assertion.groups[1]", "b"),
        ('"b" in assertion.groups', True),
        ('"c" in assertion.groups || assertion.live', True),
        ('has(assertion.sub) ? "yes" : "no"', "yes"),
        ('has(assertion.other) ? assertion.other : "none"', "none"),
        ('assertion.sub.startsWith("arn:aws:") && !assertion.sub.endsWith("/other")', True),
        ('assertion.sub.contains(":role/")', True),
        ("size(assertion.groups) == 2 && assertion.ref.size() == 15", True),
        ("string(assertion.run) + string(assertion.live)", "7true"),
        (r'"\u0041\x42\103\"\\"', 'ABC"\\'),
        ("(1 == 1.0) && ('1' != 1)", True),
        # A side that cannot be evaluated counts for nothing where the other decides.
        ('assertion.other == "x" || true', True),
        ('false && assertion.other == "x"', False),
        ('assertion.other == "x" && false', False),
    ],
)
def test_an_expression_has_the_value_that_cel_gives_it(expression: str, value: Any) -> None:
    assert parse(expression)(CLAIMS) == value


@pytest.mark.parametrize(
    "expression",
    [
        "assertion.other",
        'assertion["https://sts.amazonaws.com/"]["request_tags"]["tenant"]',
        "assertion.sub.name",
        "assertion.groups[2]",
        'assertion.run + "x"',
        "assertion.live + assertion.live",
        "assertion.run < 'x'",
        "assertion.run && true",
        "assertion.run.startsWith('7')",
        "has(assertion.sub.name)",
        "size(assertion.run) == 1",
        "assertion.other == 'x' || false",
        " + ".join(["assertion.sub"] * 5000),
    ],
)
def test_what_the_claims_cannot_answer_fails(expression: str) -> None:
    """A missing tag is no empty text: no rule may match it."""
    with pytest.raises(Failed):
        parse(expression)(CLAIMS)


@pytest.mark.parametrize(
    ("expression", "text"),
    [("assertion.live", "true"), ("assertion.run", "7"), ("assertion.ratio", "0.5"), ("assertion.sub", CLAIMS["sub"])],
)
def test_a_result_is_compared_as_text(expression: str, text: str) -> None:
    assert scalar(parse(expression)(CLAIMS)) == text


@pytest.mark.parametrize("expression", ["assertion.nothing", "assertion.groups", "assertion", "1e400"])
def test_a_result_that_is_no_finite_scalar_fails(expression: str) -> None:
    with pytest.raises(Failed):
        scalar(parse(expression)(CLAIMS))


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("assertion.sub.matches('a')", "matches"),
        ("assertion.groups.exists(g, g == 'a')", "exists"),
        ("int(assertion.sub)", "int"),
        ("timestamp(assertion.sub)", "timestamp"),
        ("assertion.run * 2", "[*]"),
        ("assertion.run - 2", "-"),
        ("-1", "-"),
        ("{'a': 1}", "{"),
        ("r'a'", "r before"),
        ("7u", "u behind"),
        ("'''a'''", "'''"),
        ("(" * 2000 + "1" + ")" * 2000, "nesting"),
    ],
)
def test_the_rest_of_cel_is_refused_by_its_name(expression: str, part: str) -> None:
    with pytest.raises(NotHere, match=part):
        parse(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "assertion.",
        "assertion.sub ==",
        "claims.sub",
        "a b",
        "assertion[",
        "'a",
        "'\\d'",
        "has('a')",
        "lower('a')",
        "#",
    ],
)
def test_what_is_no_cel_is_refused(expression: str) -> None:
    with pytest.raises(NotCel):
        parse(expression)


PARTS = [
    "assertion",
    ".sub",
    "['a']",
    "(",
    ")",
    "[",
    "]",
    "'x'",
    "1",
    "0x",
    "has",
    "size",
    "in",
    "+",
    "&&",
    "?",
    ":",
    ",",
]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=12).map(" ".join))
def test_whatever_is_written_is_a_value_or_a_refusal(expression: str) -> None:
    with suppress(NotCel, NotHere, Failed):
        scalar(parse(expression)(CLAIMS))
