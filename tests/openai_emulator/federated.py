"""What the tests of federation hold in their hands: an issuer of tokens, a provider that trusts it, and a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2
from openai import OpenAI
from openai.types.admin.organization.workload_identity_provider_create_params import AttributeTransformation
from openai.types.admin.organization.workload_identity_providers import FederationRule

from local.issuer import Issuer
from tests.openai_emulator.harness import Server, Tenant

HOST = "issuer.example"
AUDIENCE = "https://api.openai.com/v1"
ROLE = "arn:aws:iam::111122223333:role/runtime"
OWN = "https://sts.amazonaws.com/"
TENANT: AttributeTransformation = {
    "attribute": "openai.tenant",
    "expression": f'assertion["{OWN}"]["principal_tags"]["tenant"]',
}
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"


class CountingIssuer(Issuer):
    """Remembers which documents it was asked for."""

    def __init__(self, host: str) -> None:
        self.asked: list[str] = []
        super().__init__(host)

    def document(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        return super().document(path)


@dataclass
class Federation:
    server: Server
    issuer: CountingIssuer
    admin: OpenAI
    tenant: Tenant
    provider_id: str

    @property
    def url(self) -> str:
        return self.server.url.removesuffix("/v1") + "/oauth/token"

    @property
    def now(self) -> int:
        return int(self.server.control.now())

    def token(self, **changes: Any) -> str:
        """A token of role ROLE's session of tenant acme; None takes a claim away."""
        now = self.now
        tags = {"principal_tags": {"tenant": "acme"}}
        claims = {"aud": AUDIENCE, "sub": ROLE, "iat": now, "nbf": now, "exp": now + 300, OWN: tags}
        return self.issuer.token({name: value for name, value in (claims | changes).items() if value is not None})

    def rule(self, **changes: Any) -> FederationRule:
        fields: dict[str, Any] = {
            "attribute_matchers": {"sub": ROLE, "openai.tenant": "acme"},
            "project_id": self.tenant.project_id,
            "service_account_id": self.tenant.service_account_id,
        }
        rules = self.admin.admin.organization.workload_identity_providers.federation_rules
        return rules.create(self.provider_id, **(fields | changes))

    def request(self, token: str, **changes: Any) -> dict[str, Any]:
        return {
            "grant_type": GRANT,
            "subject_token_type": JWT,
            "subject_token": token,
            "identity_provider_id": self.provider_id,
            "service_account_id": self.tenant.service_account_id,
        } | changes

    def exchange(self, token: str, **changes: Any) -> httpx2.Response:
        return httpx2.post(self.url, json=self.request(token, **changes), timeout=60)

    def refusal(self, token: str, **changes: Any) -> tuple[int, str, str]:
        """(status, error, description) of an exchange that must be refused."""
        answer = self.exchange(token, **changes)
        body = answer.json()
        assert "access_token" not in body
        return answer.status_code, body["error"], body["error_description"]

    def client(self, get_token: Any = None, **options: Any) -> OpenAI:
        """OpenAI's own client. Its exchange goes to the cell, as its model calls do."""
        client = OpenAI(
            workload_identity={
                "identity_provider_id": self.provider_id,
                "service_account_id": self.tenant.service_account_id,
                "provider": {"token_type": "jwt", "get_token": get_token or self.token},
            },
            base_url=self.server.url,
            max_retries=0,
            timeout=60,
            **options,
        )
        assert client._workload_identity_auth is not None
        client._workload_identity_auth.token_exchange_url = self.url
        self.server.opened.append(client)
        return client

    def exchanges(self) -> int:
        return sum(call.path == "/oauth/token" for call in self.server.control.calls())
