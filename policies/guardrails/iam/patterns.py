"""What patterns with ``*`` and ``?`` can match, and which can match the same thing.

Owns the comparison of patterns. Leaves out which elements of a document hold them.
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
"""In a pattern of ours: any run of characters within one field of an ARN, which a star would run out of."""


def widest(pattern: str) -> str:
    """`pattern` with each policy variable as wide as it can be: what a caller's tag holds is the caller's to choose."""
    return _RUNS.sub("*", _VARIABLE.sub("*", pattern))


def complete(arn: str) -> str:
    """IAM fills the fields that an ARN in a Resource element lacks with wildcards."""
    fields = arn.count(":") + 1
    return arn + ":*" * (_ARN_FIELDS - fields) if arn.startswith("arn:") and fields < _ARN_FIELDS else arn


def in_its_partition(arn: str) -> str:
    """`arn` with the partition left open: an account, and so all that a document of its can be about, is in one."""
    return _PARTITION.sub(f"arn:{FIELD}:", arn)


@lru_cache(maxsize=65536)
def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns. FIELD may stand in `other`."""
    # reachable[j]: what is left of `one` can still meet other[j:].
    reachable = _through_stars({0}, other)
    for character in one:
        if character == "*":
            # A star takes any number of what `other` asks for.
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
    """Whether everything that `narrow` matches is matched by `wide`. May say no where the answer is yes, never the
    other way round: each star of `narrow` must fall into one star of `wide`. FIELD may stand in both."""
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
    """Whether `pattern` matches this one text, in which stars and question marks stand for themselves."""
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _through_stars(places: set[int], pattern: str) -> set[int]:
    """A star may also stand for nothing."""
    reached = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] in ("*", FIELD):
            place += 1
            reached.add(place)
    return reached
