"""Texts that are partly known, and whether a policy's pattern matches them, as formulas for the solver.

Owns wildcards and policy variables over symbolic texts. Leaves out what a condition operator makes of a match
(`conditions`). Exact for every pattern that it accepts; it refuses the few that it cannot express exactly.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import z3

from myflux_keys.names import TAG_TENANT

Term = Any
"""A z3 string; the package has no types."""
Formula = Any
"""A z3 Boolean."""

OWNER: Final = "\ue000"
"""The placeholder for a tenant's slug in a generalized document."""

TRUE: Final[Formula] = z3.BoolVal(True)
FALSE: Final[Formula] = z3.BoolVal(False)

_KNOWN: Final[dict[int, str]] = {}
"""By the identity of terms that `constant` keeps for ever."""

_MARKS: Final = re.compile(r"\$\{([^}]*)\}|([*?" + OWNER + "])")
_VARIABLE: Final = re.compile(r"\s*([^,]+?)\s*(?:,\s*'([^']*)'\s*)?")


class CannotJudgeError(Exception):
    """A document is missing, or holds something that the model cannot express exactly.

    `where` is the document, with the statement if one is the cause; `reason` names the element. The text holds both.
    """

    def __init__(self, reason: str, way_out: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason, self.way_out, self.where = reason, way_out, where

    def of(self, where: str) -> CannotJudgeError:
        """The same error with `where` set, unless it is set already."""
        return self if self.where else CannotJudgeError(self.reason, self.way_out, where)


@dataclass(frozen=True)
class Text:
    """A value in a request. `parts` are an ARN's six, where the text is known to be one."""

    term: Term
    parts: tuple[Term, ...] | None = None


@dataclass(frozen=True)
class Key:
    """A condition key: its possible values, each with its condition. `single`: at most one value, as for most keys."""

    values: tuple[tuple[Formula, Text], ...]
    single: bool = True

    @property
    def present(self) -> Formula:
        return any_of([there for there, _ in self.values])


Keys = Mapping[str, Key]
"""By lower-case name."""


@cache
def constant(value: str) -> Term:
    """One term for each text, since z3 takes long to make one; `known_text` knows it again."""
    term = z3.StringVal(value)
    _KNOWN[id(term)] = value
    return term


def known_text(term: Term) -> str | None:
    """The text that `constant` made `term` of; None for any other term."""
    return _KNOWN.get(id(term))


def text(value: str | Term) -> Text:
    return Text(constant(value) if isinstance(value, str) else value)


def arn(*parts: str | Term) -> Text:
    """From an ARN's six parts."""
    terms = tuple(constant(part) if isinstance(part, str) else part for part in parts)
    return Text(joined([term for part in terms for term in (constant(":"), part)][1:]), terms)


def known_arn(value: str) -> Text:
    return arn(*value.split(":", 5))


def joined(terms: Sequence[Term]) -> Term:
    return terms[0] if len(terms) == 1 else z3.Concat(*terms)


def any_of(formulas: Sequence[Formula]) -> Formula:
    return _folded(formulas, z3.Or, ends=TRUE, drops=FALSE)


def all_of(formulas: Sequence[Formula]) -> Formula:
    return _folded(formulas, z3.And, ends=FALSE, drops=TRUE)


def not_(formula: Formula) -> Formula:
    return TRUE if formula is FALSE else FALSE if formula is TRUE else z3.Not(formula)


def _folded(formulas: Sequence[Formula], join: Callable[..., Formula], *, ends: Formula, drops: Formula) -> Formula:
    """Simplifies constants first: most statements do not apply to most requests, and z3 builds formulas slowly."""
    if any(formula is ends for formula in formulas):
        return ends
    open_ = [formula for formula in formulas if formula is not drops]
    if len(open_) < 2:
        return open_[0] if open_ else drops
    return join(*open_)


def holds(key: str, value: str | Term | Text, when: Formula = TRUE) -> dict[str, Key]:
    """One key with one value."""
    return {key.lower(): Key(((when, value if isinstance(value, Text) else text(value)),))}


def matches(
    pattern: str, value: Term, keys: Keys, owner: Term | None, *, wildcards: bool = True, variables: bool = True
) -> Formula:
    """Whether `pattern` matches the whole `value`. A variable without a value matches nothing.

    Raises CannotJudgeError for a variable beside two or more ``*``.
    """
    pieces, conditions = _pieces(pattern, keys, owner, wildcards=wildcards, variables=variables)
    known = all(not isinstance(piece, _Run) or piece.known is not None for piece in pieces)
    if not known:
        found = _placed(pattern, pieces, value)
    elif (whole := known_text(value)) is not None:
        found = TRUE if _expression(pieces).fullmatch(whole) else FALSE
    else:
        found = _like(pieces, value)
    return all_of([*conditions, found])


@dataclass(frozen=True)
class _Run:
    """Neighbouring texts of a pattern without a wildcard between them."""

    term: Term
    known: str | None
    """The text where nothing of it is symbolic."""

    @property
    def length(self) -> Any:
        return z3.IntVal(len(self.known)) if self.known is not None else z3.Length(self.term)


_Piece = Literal["*", "?"] | _Run


def _pieces(
    pattern: str, keys: Keys, owner: Term | None, *, wildcards: bool, variables: bool
) -> tuple[list[_Piece], list[Formula]]:
    pieces: list[_Piece] = []
    conditions: list[Formula] = []

    def known(part: str) -> None:
        if part:
            pieces.append(_Run(constant(part), part))

    end = 0
    for found in _MARKS.finditer(pattern):
        known(pattern[end : found.start()])
        end = found.end()
        inside, mark = found[1], found[2]
        if mark == OWNER:
            if owner is None:
                raise CannotJudgeError(
                    f"{_shown(pattern)} names one tenant in a document of all tenants",
                    f"write ${{aws:PrincipalTag/{TAG_TENANT}}} there, or name the tenant in its own documents",
                )
            pieces.append(_Run(owner, owner.as_string() if z3.is_string_value(owner) else None))
        elif mark and wildcards:
            pieces.append("*" if mark == "*" else "?")
        elif mark or not variables:
            known(found[0])
        elif inside in ("*", "?", "$"):
            known(inside)
        else:
            term, there = _variable(inside, keys)
            pieces.append(_Run(term, None))
            conditions.append(there)
    known(pattern[end:])
    return _merged(pieces), conditions


def _merged(pieces: Sequence[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        before = merged[-1] if merged else None
        if isinstance(piece, _Run) and isinstance(before, _Run):
            known = None if piece.known is None or before.known is None else before.known + piece.known
            merged[-1] = _Run(constant(known) if known else z3.Concat(before.term, piece.term), known)
        elif not (piece == "*" and before == "*"):
            merged.append(piece)
    return merged


def _variable(inside: str, keys: Keys) -> tuple[Term, Formula]:
    """A variable's value, and whether it has one: an empty or missing value is null."""
    named = _VARIABLE.fullmatch(inside)
    key = keys.get(named[1].lower()) if named else None
    default = named[2] if named else None
    there, term = FALSE, constant("")
    if key and key.single and len(key.values) == 1:
        there, term = z3.And(key.present, key.values[0][1].term != ""), key.values[0][1].term
    if default is not None:
        return z3.If(there, term, constant(default)), TRUE
    return term, there


def _expression(pieces: Sequence[_Piece]) -> re.Pattern[str]:
    """A pattern without symbolic texts, for a value that is known too: the solver need not be asked."""
    found = [
        re.escape(piece.known or "") if isinstance(piece, _Run) else {"*": ".*", "?": "."}[piece] for piece in pieces
    ]
    return re.compile("".join(found), re.DOTALL)


def _like(pieces: Sequence[_Piece], value: Term) -> Formula:
    """A pattern without symbolic texts, as a regular expression."""
    if not pieces:
        return value == constant("")
    if len(pieces) == 1 and isinstance(pieces[0], _Run):
        return value == pieces[0].term
    sort = z3.ReSort(z3.StringSort())
    found = [
        z3.Re(piece.term) if isinstance(piece, _Run) else z3.Full(sort) if piece == "*" else z3.AllChar(sort)
        for piece in pieces
    ]
    return z3.InRe(value, found[0] if len(found) == 1 else z3.Concat(*found))


def _placed(pattern: str, pieces: Sequence[_Piece], value: Term) -> Formula:
    """A pattern with symbolic texts: the formula states the position of each in `value`."""
    segments: list[list[_Piece]] = [[]]
    for piece in pieces:
        if piece == "*":
            segments.append([])
        else:
            segments[-1].append(piece)
    first, last = segments[0], segments[-1]
    length = z3.Length(value)
    if len(segments) == 1:
        return z3.And(length == _length(first), *_at(first, value, z3.IntVal(0)))
    if len(segments) > 2:
        raise CannotJudgeError(
            f"{_shown(pattern)} has a variable, or the tenant's name, between or beside two `*`",
            "write it with one `*` at most: what is deployed ends in `-??????`, which needs none",
        )
    return z3.And(
        length >= _length(first) + _length(last),
        *_at(first, value, z3.IntVal(0)),
        *_at(last, value, length - _length(last)),
    )


def _shown(pattern: str) -> str:
    return f"`{pattern.replace(OWNER, '<tenant>')}`"


def _length(segment: Sequence[_Piece]) -> Any:
    return z3.Sum(
        [z3.IntVal(0), *(z3.IntVal(1) if piece == "?" else piece.length for piece in segment if piece != "*")]
    )


def _at(segment: Sequence[_Piece], value: Term, offset: Any) -> list[Formula]:
    found: list[Formula] = []
    for piece in segment:
        if isinstance(piece, _Run):
            found.append(z3.SubString(value, offset, piece.length) == piece.term)
            offset = offset + piece.length
        else:
            offset = offset + 1
    return found
