"""Reads multipart forms, as file uploads are.

The standard library parses the parts: https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from local.openai import errors
from local.openai.fields import Body


@dataclass(frozen=True)
class Form:
    """`files` are name and content by field. A field ``a[b]`` is `b` in the object `a`, as the SDK sends it."""

    fields: Body
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])


def read_form(content_type: str, raw: bytes) -> Form:
    if not content_type.lower().startswith("multipart/form-data"):
        raise errors.ApiError(400, "Invalid content type: expected multipart/form-data.")
    parsed: Message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    if not parsed.is_multipart():
        raise errors.ApiError(400, "We could not parse the multipart form of your request.")
    values: dict[str, object] = {}
    files: dict[str, tuple[str, bytes]] = {}
    parts: list[Message] = parsed.get_payload()  # pyright: ignore[reportAssignmentType]
    for part in parts:
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if (filename := part.get_filename()) is not None:
            files[name] = (filename, content)
            continue
        outer, _, inner = name.partition("[")
        text = content.decode(errors="replace")
        if inner:
            held = values.setdefault(outer, {})
            if isinstance(held, dict):
                held[inner.removesuffix("]")] = text
        else:
            values[name] = text
    return Form(Body(values), files)
