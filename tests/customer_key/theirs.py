"""What a customer does in their own OpenAI account, with an admin key of theirs."""

from __future__ import annotations

from typing import Any

from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIHTTP
from local.cell import LocalCell
from myflux_keys.payload import SecretText


class TheirOpenAI:
    """One project of the customer's, in an organization that the cell's admin key does not reach."""

    organization = "org-theirs"

    def __init__(self, cell: LocalCell, name: str = "the customer's own") -> None:
        self._cell = cell
        cell.openai.open_customer(self.organization)
        self.project: str = self.send("POST", "", {"name": name})["id"]

    def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """`path` is what follows the organization's projects. Each call brings a key of its own."""
        admin = SecretText(self._cell.openai.create_admin_key("the customer's", organization_id=self.organization))
        http = OpenAIHTTP(self._cell.openai_url, Deadline(60))
        return http.send(method, f"/organization/projects{path}", admin, body=body)

    def key(self, **changes: Any) -> tuple[str, str]:
        """Id and value of a key, minted as their own tools do it."""
        accounts = f"/{self.project}/service_accounts"
        account = self.send("POST", accounts, {"name": "ours", "create_service_account_only": True})["id"]
        self.send("POST", f"{accounts}/{account}", {"role": "member"})
        asked = {"name": "for MyFlux", "scopes": [], "expires_in_seconds": 90 * 86_400} | changes
        made = self.send("POST", f"{accounts}/{account}/api_keys", asked)
        return made["id"], made["value"]

    def end(self, key_id: str) -> None:
        """Deletes a key, as they do on OpenAI's site."""
        admin = SecretText(self._cell.openai.create_admin_key("the customer's", organization_id=self.organization))
        http = OpenAIHTTP(self._cell.openai_url, Deadline(60))
        http.send("DELETE", f"/organization/projects/{self.project}/api_keys/{key_id}", admin)
