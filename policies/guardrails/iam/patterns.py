"""Compares patterns with ``*`` and ``?``: what they match, and whether two can match the same text.

Owns the comparison. Leaves out which elements of a document are patterns.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_RUNS: Final = re.compile(r"\*{2,}")
_PARTITION: Final = re.compile(r"^arn:aws(-[a-z]+)*:", re.ASCII)
_ARN_FIELDS: Final = 6

FIELD: Final = "~"
"""In our own patterns: any characters within one field of an ARN; a star also matches beyond the field."""


def widest(pattern: str) -> str:
    """`pattern` with each policy variable as a star, since a variable may have any value."""
    return _RUNS.sub("*", _VARIABLE.sub("*", pattern))


def complete(arn: str) -> str:
    """`arn` with its missing fields as stars, as IAM reads it."""
    fields = arn.count(":") + 1
    return arn + ":*" * (_ARN_FIELDS - fields) if arn.startswith("arn:") and fields < _ARN_FIELDS else arn


def in_its_partition(arn: str) -> str:
    """`arn` with any partition: an account, with all resources that its documents can cover, is in one partition."""
    return _PARTITION.sub(f"arn:{FIELD}:", arn)


@lru_cache(maxsize=65536)
def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns. Only `other` may hold FIELD."""
    # Positions j for which the rest of `one` may still match other[j:].
    reachable = _through_stars({0}, other)
    for character in one:
        if character == "*":
            # A star matches any number of characters of `other`.
            reachable = set(range(min(reachable), len(other) + 1)) if reachable else set[int]()
            continue
        after: set[int] = set()
        for place in reachable:
            if place < len(other):
                wanted = other[place]
                if wanted == "*" or (wanted == FIELD and character != ":"):
                    after.add(place)
                elif wanted == "?" or character in ("?", wanted):
                    after.add(place + 1)
        reachable = _through_stars(after, other)
    return len(other) in reachable


@lru_cache(maxsize=65536)
def covers(wide: str, narrow: str) -> bool:
    """Whether `wide` matches everything that `narrow` matches. May be wrongly False, never wrongly True: each star of
    `narrow` must correspond to one star of `wide`. Both may hold FIELD."""
    reachable = _through_stars({0}, wide)
    for character in narrow:
        after: set[int] = set()
        for place in reachable:
            if place < len(wide):
                offered = wide[place]
                if offered == "*" or (offered == FIELD and character not in ":*?"):
                    after.add(place)
                elif (offered == "?" and character not in ("*", FIELD)) or offered == character not in ("*", "?"):
                    after.add(place + 1)
        reachable = _through_stars(after, wide)
    return len(wide) in reachable


@lru_cache(maxsize=65536)
def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` matches this text, in which stars and question marks are ordinary characters."""
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _through_stars(places: set[int], pattern: str) -> set[int]:
    """`places` and the positions after the stars there: a star also matches nothing."""
    reached = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] in ("*", FIELD):
            place += 1
            reached.add(place)
    return reached
