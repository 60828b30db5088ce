"""Whether a pattern matches a text that is known is decided without the solver, and as the solver decides it."""

from __future__ import annotations

import pytest
import z3

from ops.isolation.terms import FALSE, TRUE, constant, known_text, matches

PATTERNS = ["", "a", "*", "?", "a*", "*a", "a*b", "a?b", "a.b", "**", "?*", "a**b", "${*}", "a${?}b", "[ab]", "(a|b)*"]
TEXTS = ["", "a", "b", "ab", "axb", "a.b", "a\nb", "*", "a?b", "aXXb", "[ab]", "(a|b)", "a*b"]


@pytest.mark.parametrize("wildcards", [True, False])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_known_text_is_judged_as_the_solver_judges_it(pattern: str, wildcards: bool) -> None:
    for text in TEXTS:
        known = matches(pattern, constant(text), {}, None, wildcards=wildcards)
        assert known is TRUE or known is FALSE, "the solver is not asked"
        solver = z3.Solver()
        # Not of `constant`'s making: a value that the solver must look at.
        value = z3.String("value")
        solver.add(value == z3.StringVal(text), matches(pattern, value, {}, None, wildcards=wildcards))
        assert (solver.check() == z3.sat) is (known is TRUE), (pattern, text)


def test_a_text_has_one_term_and_a_symbol_has_no_text() -> None:
    assert constant("a") is constant("a")
    assert known_text(constant("a")) == "a"
    assert known_text(z3.String("a")) is None
    assert known_text(z3.StringVal("a")) is None
