"""Codes of a virtual MFA device, as an authenticator shows them: RFC 6238 with SHA-1, 30 seconds and six digits.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from typing import Final

STEP_SECONDS: Final = 30


def step(at: float) -> int:
    """The number of the code that a device shows at `at`, in seconds since the epoch."""
    return int(at // STEP_SECONDS)


def code(seed: str, number: int) -> str:
    """The code of that number. `seed` is base32 text, as IAM gives it when it makes the device."""
    key = base64.b32decode(seed)
    digest = hmac.new(key, struct.pack(">Q", number), hashlib.sha1).digest()
    start = digest[-1] & 0xF
    (word,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(word & 0x7FFF_FFFF) % 10**6:06}"
