"""From a tenant file's `permission` to the scopes with which its key is minted, or its tokens are given.

A scope limits what a key or a token may do and never adds to what its service account's role (`member`) allows.

Sources, November 2026:
- `[]` is every permission and `["api.all.read"]` is read only: the API reference of key updates (openai-python 3.54,
  admin/organization/projects/api_keys.py: "the same scope identifiers as the dashboard").
- `api.model.request` as an entry of a key's scopes: the API reference of audit logs (`api_key.created`, `data.scopes`).
- `api.model.read`, `api.responses.write`, `api.responses.read`: named by OpenAI's own 401 and 403 ("Missing scopes: …")
  in many public reports. `write` does not include `read` (community.openai.com, topic 1292912), so both are asked for.

Unverified, since OpenAI publishes no list: that a key minted by API takes all four. The 401 of a key without the model
scope calls it `model.request`, without `api.`. A wrong spelling would be noticed: OpenAI refuses the mint
("unauthorized scopes"), or the key's proof is logged as `restricted`.
"""

from __future__ import annotations

from typing import Final

SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "all": (),
    "restricted": ("api.model.read", "api.model.request", "api.responses.read", "api.responses.write"),
    "read_only": ("api.all.read",),
}
"""`restricted` is what MyFlux needs: models, chat completions and responses; no files, no fine-tuning."""
