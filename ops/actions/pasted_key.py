"""What a person pastes where a key is asked for: what stands around the key, and keys of other providers.

Pure: nothing is sent. Refuses instead of cutting the key out, since a wrong cut would store a wrong key. Leaves out
which of OpenAI's keys it is (`admin_key`, `customer_key_check`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from functions.shared.vendors import vendor_of

_CORE: Final = re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]+")
_MARKS: Final = {
    "quotation marks": "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e",
    "brackets": "()[]{}<>",
    "a comma or semicolon": ",;",
}
_ALL_MARKS: Final = "".join(_MARKS.values()) + " \t"
_SIGNS: Final = {"=": "a name and `=`", ":": "a name and a colon"}


def refusal(text: str) -> str | None:
    """A sentence about `text`, which holds nothing of it; None where a key stands alone, or there is none."""
    found = _CORE.search(text)
    key = found[0] if found else text.strip(_ALL_MARKS)
    if vendor := vendor_of(key):
        return (
            f"this is a key of {vendor[1]}, which starts with `{vendor[0]}`, and not one of OpenAI. It was not sent "
            "anywhere, and nothing was stored: ask for an OpenAI key."
        )
    around = _around(text[: found.start()], text[found.end() :]) if found else []
    if not around:
        return None
    return (
        f"the key does not stand alone. Around it: {', '.join(around)}. Give only the key, from `sk-` to its last "
        "character. It was not sent anywhere, and nothing was stored."
    )


def _around(before: str, after: str) -> list[str]:
    """Names what is there. An unknown text after the key is the key's own fault: it was cut, or copied wrongly."""
    found = [_invisible(character) for character in dict.fromkeys(before + after) if _is_invisible(character)]
    visible = "".join(character for character in before if not _is_invisible(character))
    sign = next((sign for sign in _SIGNS if sign in visible), "")
    if sign:
        found.append(_SIGNS[sign])
    if "bearer" in visible.casefold().split():
        found.append("the word `Bearer`")
    elif not sign and visible.strip(_ALL_MARKS):
        found.append("other text")
    signs = visible if after.strip(_ALL_MARKS) else visible + after
    return [*found, *(what for what, marks in _MARKS.items() if any(mark in signs for mark in marks))]


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cs")


def _invisible(character: str) -> str:
    name = "a byte order mark" if character == "\ufeff" else "an invisible character"
    return f"{name} (U+{ord(character):04X})"
