"""The link with which a customer hands in their key: what its token says, and what of it is signed.

Owns the token's form. Leaves out the signature itself (KMS, in the callers) and revocation. Pure, so that page,
promoter and command agree. A token is ``base64url(message).base64url(MAC)``; the message is ASCII, its fields joined by
``.``, which no field holds. Every text has one form only: what decodes alike but is written otherwise is no token.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from myflux_keys.names import CELL_SLUG, TENANT_SLUG

LANGUAGES: Final = ("es", "en")
MAC_ALGORITHM: Final = "HMAC_SHA_256"
DEFAULT_SECONDS: Final = 24 * 3600
SHORTEST_SECONDS: Final = 3600
LONGEST_SECONDS: Final = 7 * 24 * 3600
"""Of a link's life. Longer, and a link in an old e-mail would still be worth stealing."""
LONGEST_TOKEN: Final = 256
"""Characters. The longest names give 206."""

_VERSION: Final = "1"
_PURPOSE: Final = "connect"
"""Whatever else is ever signed with this KMS key has another purpose, and is no link."""
_MAC_BYTES: Final = 32
_MESSAGE: Final = re.compile(
    rf"{_VERSION}\.{_PURPOSE}\.(?P<cell>{CELL_SLUG.pattern})\.(?P<tenant>{TENANT_SLUG.pattern})\.(?P<id>[0-9a-f]{{32}})"
    rf"\.(?P<issued>[1-9][0-9]{{9}})\.(?P<expires>[1-9][0-9]{{9}})\.(?P<language>{'|'.join(LANGUAGES)})",
    re.ASCII,
)

NO_TOKEN: Final = (b"no token", bytes(_MAC_BYTES))
"""Message and MAC to verify in place of a text that is no token, so that its refusal takes as long as any other's."""


@dataclass(frozen=True)
class Link:
    """`issued` and `expires` are Unix seconds; `id` is 32 hexadecimal characters, the ClientRequestToken of the version
    that the link's key becomes."""

    cell: str
    tenant: str
    id: str
    issued: int
    expires: int
    language: str

    def expired(self, now: float) -> bool:
        """Whether the link has ended at `now`, in Unix seconds. Its last second is the one before `expires`."""
        return now >= self.expires


def message(link: Link) -> bytes:
    """What is signed. Raises ValueError for fields that no link has."""
    text = ".".join(
        (_VERSION, _PURPOSE, link.cell, link.tenant, link.id, str(link.issued), str(link.expires), link.language)
    ).encode()
    if read(text) != link:
        raise ValueError(f"no link has these fields: {link}")
    return text


def token(link: Link, mac: bytes) -> str:
    """What stands after ``#`` in the link. Raises ValueError for fields that no link has, and for a MAC of a wrong
    length."""
    if len(mac) != _MAC_BYTES:
        raise ValueError(f"a MAC of {MAC_ALGORITHM} has {_MAC_BYTES} bytes, not {len(mac)}")
    return f"{_encode(message(link))}.{_encode(mac)}"


def signed_part(token: str) -> tuple[bytes, bytes] | None:
    """Message and MAC of a token, for KMS's VerifyMac. None if it is no token: then verify NO_TOKEN."""
    if len(token) > LONGEST_TOKEN:
        return None
    signed, dot, mac = token.partition(".")
    decoded = _decode(signed), _decode(mac)
    if not dot or not decoded[0] or decoded[1] is None or len(decoded[1]) != _MAC_BYTES:
        return None
    return decoded[0], decoded[1]


def read(message: bytes) -> Link | None:
    """The link that a message says. None if it says none. Only a message whose MAC was verified may be believed."""
    found = _MESSAGE.fullmatch(message.decode("ascii", errors="replace"))
    if found is None:
        return None
    issued, expires = int(found["issued"]), int(found["expires"])
    if not SHORTEST_SECONDS <= expires - issued <= LONGEST_SECONDS:
        return None
    return Link(found["cell"], found["tenant"], found["id"], issued, expires, found["language"])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    """None unless `text` is what `_encode` writes: base64 has unused bits, and Python's decoder skips what it does not
    know."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return data if _encode(data) == text else None
