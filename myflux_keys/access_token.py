"""A federated tenant's access token, as OpenAI's clients here send it in the place of a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from myflux_keys.key import Key
from myflux_keys.payload import SecretText


@dataclass(frozen=True, slots=True)
class Token:
    """Everything but `access_token` may be logged. It ends at `expires_at` (aware, in UTC), and nothing is used beyond
    that. OpenAI knows organization, project and service account by the token itself.

    A token is not pickled: get it in the process that needs it.
    """

    tenant: str
    access_token: SecretText
    project_id: str
    service_account_id: str
    organization_id: str
    base_url: str
    models: tuple[str, ...]
    expires_at: datetime
    version_id: str
    """Of this process's own: tells one exchange's token from another's."""

    def reveal(self) -> str:
        """The token as text: for an Authorization header, never for a log."""
        return self.access_token.reveal()


Credential = Key | Token
"""What a request to OpenAI is sent with."""

WORDS: Final[dict[type[Credential], str]] = {Key: "key", Token: "token"}
"""How a person is told of one."""
