"""A federated tenant's token, for a function's own calls with what the tenant's runtime has in the place of a key.

Owns the order: the runtime's role with the tenant's session tag, AWS's signed token, OpenAI's exchange. The tag decides
whose token it is, so a function can get no other tenant's by a wrong identity. Nothing of a token is in an error or in
the log: of a refusal only its status and code are told. Leaves out keeping tokens: a function uses each at once.
docs/adr/0043-no-key-at-all.md
"""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from myflux_keys.identity import ALGORITHM, TenantIdentity, audience, exchange_url
from myflux_keys.payload import SecretText

if TYPE_CHECKING:
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

SECONDS: Final = 300
"""How long a token is valid: longer than the calls that are made with it."""
SESSION_SECONDS: Final = 900
"""AWS's shortest session. It outlives the token, or AWS gives none."""
_PATH: Final = "/oauth/token"
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
_GLOBAL_ENDPOINT: Final = "https://sts.amazonaws.com"
_REFUSALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "OutboundWebIdentityFederationDisabledException",
        "SessionDurationEscalationException",
        "ValidationError",
    }
)


class TokenRefused(OpenAIError):
    """AWS or OpenAI refuses the tenant's token, so that the tenant's calls fail. `code` is theirs; the message says
    which step was refused."""


def new_client(region: str | None = None) -> STSClient:
    """STS of the function's Region: the global endpoint gives no such tokens."""
    region = region or os.environ.get("AWS_REGION")
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=16,
    )
    made: STSClient = boto3.client("sts", region_name=region, config=config)  # pyright: ignore[reportUnknownMemberType]
    if made.meta.endpoint_url != _GLOBAL_ENDPOINT:
        return made
    regional = f"https://sts.{region}.amazonaws.com"
    return boto3.client("sts", region_name=region, endpoint_url=regional, config=config)  # pyright: ignore[reportUnknownMemberType]


class FederatedTokens:
    """Tokens of the tenants of one cell. `base_url` is that of OpenAI's API, from which the exchange's follows."""

    def __init__(self, client: STSClient, cell: str, role_arn: str, base_url: str) -> None:
        self._client = client
        self._cell = cell
        self._role_arn = role_arn
        self._exchange = exchange_url(base_url).removesuffix(_PATH)
        # boto3's default session makes one client at a time.
        self._making = threading.Lock()

    def token(self, identity: TenantIdentity, deadline: Deadline) -> SecretText:
        """A new one. Raises TokenRefused; OpenAIError if OpenAI does not answer; botocore's errors if AWS does not."""
        signed = self._signed(identity.tenant)
        http = OpenAIHTTP(self._exchange, deadline)
        try:
            answer = http.send("POST", _PATH, None, body=identity.exchange_request(signed))
        except OpenAIError as error:
            raise _of_openai(error) from None
        token: Any = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise OpenAIError(f"POST {_PATH}", "the answer has no token", maybe_applied=False, status=200) from None
        return SecretText(token)

    def _signed(self, tenant: str) -> SecretText:
        try:
            held = self._client.assume_role(
                RoleArn=self._role_arn,
                RoleSessionName="myflux-health",
                DurationSeconds=SESSION_SECONDS,
                Tags=[{"Key": "tenant", "Value": tenant}],
            )["Credentials"]
            with self._making:
                session = self._of_session(held)
            try:
                answer = session.get_web_identity_token(
                    Audience=[audience(self._cell)], DurationSeconds=SECONDS, SigningAlgorithm=ALGORITHM
                )
            finally:
                session.close()
        except ClientError as error:
            raise _of_aws(error) from None
        return SecretText(answer["WebIdentityToken"])

    def _of_session(self, held: CredentialsTypeDef) -> STSClient:
        meta = self._client.meta
        return boto3.client(  # pyright: ignore[reportUnknownMemberType]
            "sts",
            region_name=meta.region_name,
            endpoint_url=meta.endpoint_url,
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"],
            config=meta.config,
        )


def _of_aws(error: ClientError) -> Exception:
    """AWS's refusal; what is only for now stays AWS's error."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code not in _REFUSALS:
        return error
    said = f"AWS refuses {error.operation_name}"
    return TokenRefused("AWS STS", said, maybe_applied=False, status=403, code=code, explained=True)


def _of_openai(error: OpenAIError) -> OpenAIError:
    """OpenAI's refusal, in OAuth's form: its code stands in the place of the error object. Its description is left
    out, since it may quote what was sent."""
    if error.status is None or error.status >= 500 or error.status == 429:
        said = "no answer that tells anything of the tenant"
        return OpenAIError(error.request, said, maybe_applied=False, status=error.status)
    code = error.code or error.message
    return TokenRefused(
        error.request,
        "OpenAI refuses to exchange the token of AWS",
        maybe_applied=False,
        status=error.status,
        code=code if _CODE.fullmatch(code) else None,
        explained=True,
    )
