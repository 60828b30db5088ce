"""What a customer pastes: the key in it, or what it is instead.

Pure. Owns the cleaning and the names of what is no project key; the page's language files have their sentences. These
rules run here alone: a second copy in the browser would one day differ. Unlike `key set`, which refuses what does not
stand alone, the page cleans, since the live check tells a wrong cut at once. Results name faults by codes, so no
sentence and no error can hold what was pasted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from functions.shared.customer_key import ADMIN_PREFIX, SHORTEST, kind_of
from functions.shared.vendors import vendor_of
from myflux_keys.payload import SecretText

Owner = Literal["service_account", "person"]

LONGEST: Final = 300
"""Characters of a key. OpenAI's have up to 170."""
LONGEST_PASTE: Final = 8_000

CLEANED: Final = ("invisible", "spaces", "lines", "dashes", "quotes", "name", "bearer", "capitals", "repeated")
"""What was taken away or set right, in the order in which the page says it."""
FAULTS: Final = (
    *("empty", "admin_key", "two_keys", "masked", "vendor", "organization_id", "project_id", "key_id", "session_key"),
    *("email", "address", "code", "password", "other_text", "blank_inside", "strange_characters", "cut", "too_long"),
)

_START: Final = re.compile(r"(?<![A-Za-z0-9_-])sk-(?:proj-|svcacct-|admin-)?", re.IGNORECASE)
_MASK: Final = re.compile(r"\.{2,}|…|\*{2,}|[•●∙·]{2,}|(?<=-)x{4,}", re.IGNORECASE)
_PIECE: Final = re.compile(r"[A-Za-z0-9_-]+")
_NAME: Final = re.compile(
    r"(?:(?:export|set|setx|const|let|var)\s+|\$env:)?[\"'{\s]*[A-Za-z][\w. -]{0,40}[\"']?\s*(?::=|=>|[:=])\s*",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\bbearer\s+", re.IGNORECASE)
_MARKS: Final = "\"'`´«»‘’‚‛“”„()[]{}<>,;"
_IDS: Final = (
    ("organization_id", re.compile(r"org-[A-Za-z0-9]{6,}")),
    ("project_id", re.compile(r"proj_[A-Za-z0-9]{6,}")),
    ("key_id", re.compile(r"key_[A-Za-z0-9]{6,}")),
    ("session_key", re.compile(r"(?:sess-[A-Za-z0-9]{6,}|eyJ[\w-]+\.[\w-]+.*)")),
    ("email", re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")),
    ("address", re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)),
    ("code", re.compile(r"[0-9]{4,8}")),
)


@dataclass(frozen=True)
class Pasted:
    """A key with its owner, or a fault (one of FAULTS). `vendor` names another provider. `cleaned`: of CLEANED."""

    key: SecretText | None
    owner: Owner | None
    fault: str | None
    vendor: str | None
    cleaned: tuple[str, ...]


def read(text: str) -> Pasted:
    """Never raises, whatever the text."""
    found = _Reading()
    outcome = found.look(text)
    cleaned = tuple(kind for kind in CLEANED if kind in found.cleaned)
    if isinstance(outcome, SecretText):
        owner: Owner = "service_account" if kind_of(outcome) == "service_account" else "person"
        return Pasted(outcome, owner, None, None, cleaned)
    return Pasted(None, None, outcome, found.vendor, ())


class _Reading:
    def __init__(self) -> None:
        self.cleaned: set[str] = set()
        self.vendor: str | None = None

    def look(self, text: str) -> SecretText | str:
        """The key, or the fault."""
        if len(text) > LONGEST_PASTE:
            return "too_long"
        plain = self._plain(text)
        if not plain:
            return "empty"
        starts = list(_START.finditer(plain))
        if any(start[0].casefold() == ADMIN_PREFIX for start in starts):
            return "admin_key"
        core = plain.strip(_MARKS + " \n")
        if vendor := vendor_of(plain[starts[0].start() :] if starts else _bare(core)):
            self.vendor = vendor[1]
            return "vendor"
        if not starts:
            return _named(_bare(core))
        if len(starts) > 1:
            return self._several(plain, starts)
        return self._single(plain, starts[0])

    def _plain(self, text: str) -> str:
        """Without invisible characters, with plain blanks, dashes and line ends, and trimmed."""
        made: list[str] = []
        for character in text.replace("\r\n", "\n").replace("\r", "\n"):
            category = unicodedata.category(character)
            if character in "\n\u2028\u2029\u0085\v\f":
                made.append("\n")
            elif category == "Zs" or character == "\t":
                made.append(" ")
            elif category == "Pd" or character == "\u2212":
                made.append("-")
                if character != "-":
                    self.cleaned.add("dashes")
            elif category in ("Cf", "Cc", "Cs", "Co", "Cn") or "\ufe00" <= character <= "\ufe0f":
                self.cleaned.add("invisible")
            else:
                made.append(character)
        joined = "".join(made)
        trimmed = joined.strip(" \n")
        if trimmed != joined:
            self.cleaned.add("spaces")
        return trimmed

    def _several(self, plain: str, starts: list[re.Match[str]]) -> SecretText | str:
        """The same key twice is one key."""
        ends = [start.start() for start in starts[1:]] + [len(plain)]
        parts = [plain[start.start() : end] for start, end in zip(starts, ends, strict=True)]
        found = [_Reading()._single(part, re.match(_START, part)) for part in parts]
        if all(isinstance(one, SecretText) for one in found) and len(set(found)) == 1:
            self.cleaned.add("repeated")
            return found[0]
        return "admin_key" if "admin_key" in found else "two_keys"

    def _single(self, plain: str, start: re.Match[str] | None) -> SecretText | str:
        assert start is not None
        before, after = plain[: start.start()], plain[start.start() :]
        if not self._label(before):
            return "other_text"
        if after != (bare := after.rstrip(_MARKS + " \n")):
            self.cleaned.add("quotes")
        # A full stop ends a sentence; three are a mask.
        if bare.endswith(".") and not bare.endswith(".."):
            bare = bare[:-1]
            self.cleaned.add("quotes")
        if _MASK.search(bare):
            return "masked"
        lines = [line.strip(" >") for line in bare.split("\n")]
        pieces = [line for line in lines if line]
        if len(pieces) > 1:
            self.cleaned.add("lines")
        key = "".join(pieces)
        if not _PIECE.fullmatch(key):
            if " " in key:
                return "blank_inside" if _PIECE.fullmatch(key.replace(" ", "")) else "other_text"
            return "strange_characters"
        if not key.startswith(prefix := start[0].lower()):
            key = prefix + key[len(prefix) :]
            self.cleaned.add("capitals")
        # Only now is a prefix whole that a line end had parted.
        if key.casefold().startswith(ADMIN_PREFIX):
            return "admin_key"
        if vendor := vendor_of(key):
            self.vendor = vendor[1]
            return "vendor"
        if len(key) > LONGEST:
            return "too_long"
        return "cut" if len(key) < SHORTEST else SecretText(key)

    def _label(self, before: str) -> bool:
        """Whether nothing stands before the key but what people copy along: quotes, a name, `Bearer`."""
        rest = before
        if bearer := _BEARER.search(rest):
            self.cleaned.add("bearer")
            rest = rest[: bearer.start()] + rest[bearer.end() :]
        if name := _NAME.match(rest.lstrip(_MARKS + " \n")):
            self.cleaned.add("name")
            rest = rest.lstrip(_MARKS + " \n")[name.end() :]
        if left := rest.strip(" \n"):
            self.cleaned.add("quotes")
            return not left.strip(_MARKS + " \n")
        return True


def _bare(core: str) -> str:
    """Without a name before it: `OPENAI_ORG_ID=org-…` is an organization's id too."""
    name = None if core[:8].casefold().startswith(("http:", "https:")) else _NAME.match(core)
    return (core[name.end() :] if name else core).strip(_MARKS + " \n")


def _named(bare: str) -> str:
    for name, shape in _IDS:
        if shape.fullmatch(bare):
            return name
    if _MASK.search(bare):
        return "masked"
    return "other_text" if re.search(r"\s", bare) else "password"
