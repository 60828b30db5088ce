"""Embeddings of texts: the same vector for the same text and model, so that tests can compare.

Owns `/v1/embeddings`. Leaves out what a call costs (`answering.py`). The vectors have no meaning, and are shorter than
OpenAI's unless the call sets `dimensions`.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any, Final

from local.openai import errors
from local.openai.answering import embed, usable_model
from local.openai.call import Answer, Call, model_route

_DIMENSIONS: Final = 8


def _texts(raw: Any) -> list[str]:
    texts = [raw] if isinstance(raw, str) else raw
    if raw is None:
        raise errors.missing_parameter("input")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise errors.invalid_value("input", "it must be a text or an array of texts, none of them empty.")
    return texts


def _vector(model: str, text: str, dimensions: int, encoding: str) -> list[float] | str:
    digest = hashlib.shake_256(f"{model}\n{text}".encode()).digest(dimensions)
    numbers = [byte / 127.5 - 1 for byte in digest]
    return base64.b64encode(struct.pack(f"<{dimensions}f", *numbers)).decode() if encoding == "base64" else numbers


def _create(call: Call) -> Answer:
    body = call.body()
    name = body.text("model") or ""
    texts = _texts(body.anything("input"))
    dimensions = body.integer("dimensions", minimum=1, maximum=3072, required=False) or _DIMENSIONS
    encoding = body.choice("encoding_format", ("float", "base64"), required=False) or "float"
    body.anything("user")
    body.done()
    project, model = usable_model(call, name, chats=False)
    tokens, headers = embed(call, project, model, texts)
    return Answer(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _vector(name, text, dimensions, encoding)}
                for index, text in enumerate(texts)
            ],
            "model": name,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        },
        headers=headers,
    )


ROUTES = [model_route("POST", "/embeddings", _create, "model.request")]
