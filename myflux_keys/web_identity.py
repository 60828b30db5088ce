"""A token of this AWS account for OpenAI's client, in the place of a key: `aws_web_identity_token_provider`.

OpenAI's SDK has helpers for Kubernetes, Azure and Google Cloud, and none for AWS. STS signs a token for the process's
role; the SDK exchanges it for an access token and keeps that one. Leaves out the exchange, and which token OpenAI
accepts: that is the identity provider's and its federation rule's.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
https://developers.openai.com/api/docs/guides/workload-identity-federation/aws
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

import boto3
from botocore.exceptions import ClientError
from openai import OpenAIError

from myflux_keys.aws_connections import renew_session
from myflux_keys.aws_errors import SETTINGS, SOCKS, refusal_of
from myflux_keys.errors import ConfigurationError, KeyReaderError
from myflux_keys.forks import in_each_child
from myflux_keys.quiet import quiet
from myflux_keys.redaction import redact
from myflux_keys.tenant_sessions import CALL_LIMITS, new_session
from myflux_keys.web_token import meaning, regional, request

if TYPE_CHECKING:
    from openai.auth import SubjectTokenProvider
    from types_boto3_sts import STSClient

SigningAlgorithm = Literal["ES384", "RS256"]

_SHORTEST: Final = 60
_LONGEST: Final = 3600
_MOST_TAGS: Final = 50
_LONGEST_AUDIENCE: Final = 1000


class WebIdentityError(KeyReaderError, OpenAIError):
    """AWS gives this process no token. `code` is AWS's; `tenant` is empty, since STS knows the role alone.

    It is an error of the reader and one of OpenAI's client, which raises it as it is and repeats nothing.
    """


def aws_web_identity_token_provider(
    audience: str,
    *,
    region: str | None = None,
    session: boto3.Session | None = None,
    duration_seconds: int = 300,
    signing_algorithm: SigningAlgorithm = "ES384",
    tags: Mapping[str, str] | None = None,
) -> SubjectTokenProvider:
    """The `provider` of ``OpenAI(workload_identity={...})`` for a process with AWS credentials.

    `audience` is the OpenAI identity provider's. `region` is any Region of the account: by default the `session`'s,
    AWS_REGION, or boto3's. `duration_seconds` is 60 to 3600, must not exceed what is left of the role's session, and
    bounds OpenAI's access token. `tags` are the token's request tags: whoever holds the credentials chooses them, so
    they prove nothing unless IAM holds them to the session's own.

    Raises ValueError for an argument that AWS would refuse, ConfigurationError for a missing Region or an AWS profile
    that cannot be read. Each call for a token may raise WebIdentityError.
    """
    _check(audience, duration_seconds, signing_algorithm, tags or {})
    tokens = _AwsTokens(request(audience, duration_seconds, signing_algorithm, tags), session, region)
    return {"token_type": "jwt", "get_token": tokens}


def _check(audience: str, seconds: int, algorithm: str, tags: Mapping[str, str]) -> None:
    if not 1 <= len(audience) <= _LONGEST_AUDIENCE:
        raise ValueError(
            f"audience has {len(audience)} characters: AWS takes 1 to {_LONGEST_AUDIENCE}; pass the one of OpenAI's"
            " identity provider"
        )
    if type(seconds) is not int or not _SHORTEST <= seconds <= _LONGEST:
        raise ValueError(f"duration_seconds is {seconds!r}: AWS takes whole seconds from {_SHORTEST} to {_LONGEST}")
    if algorithm not in get_args(SigningAlgorithm):
        known = " or ".join(get_args(SigningAlgorithm))
        raise ValueError(f"signing_algorithm is {algorithm!r}: AWS signs with {known}")
    if len(tags) > _MOST_TAGS:
        raise ValueError(f"tags has {len(tags)} entries: AWS takes at most {_MOST_TAGS}")


class _AwsTokens:
    """Called for a token. Thread-safe; its client is made at the first call, and made again in a forked process."""

    def __init__(self, request: Mapping[str, Any], session: boto3.Session | None, region: str | None) -> None:
        self._request = request
        region = region or (session.region_name if session else None) or os.environ.get("AWS_REGION") or None
        self._given_session = session
        self._session: boto3.Session | None = session or new_session(region)
        self._region = region or self._session.region_name
        if not self._region or self._region == "aws-global":
            raise ConfigurationError(
                f"the AWS Region is {self._region!r}, and STS gives such tokens at regional endpoints only",
                way_out="Pass region=, or set AWS_REGION or AWS_DEFAULT_REGION, to any Region of the account.",
            )
        self._client: STSClient | None = None
        self._making = threading.Lock()
        in_each_child(self, _AwsTokens._start_anew)

    def __repr__(self) -> str:
        return f"<AWS web identity tokens for {self._request['Audience'][0]!r} from {self._region}>"

    def __reduce__(self) -> str:
        raise TypeError("a provider of AWS tokens cannot be pickled or copied: make one in each process")

    def __call__(self) -> str:
        outcome = self._attempt()
        if isinstance(outcome, WebIdentityError):
            raise outcome
        return outcome

    def _attempt(self) -> str | WebIdentityError:
        """An error is returned, so that it has no frame of botocore, which holds the credentials."""
        try:
            with quiet():
                return self._sts().get_web_identity_token(**cast("Any", self._request))["WebIdentityToken"]
        except Exception as error:  # noqa: BLE001 - returned, as the package's own
            return _translated(error, self._request, str(self._region))

    def _sts(self) -> STSClient:
        with self._making:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> STSClient:
        if self._session is None:
            self._session = new_session(self._region)
        make = partial(cast("Any", self._session).client, "sts", region_name=self._region, config=CALL_LIMITS)
        return regional(make, self._region)

    def _start_anew(self) -> None:
        self._making = threading.Lock()
        self._client = None
        self._session = self._given_session
        if self._given_session is not None:
            renew_session(self._given_session)


def _translated(error: Exception, asked: Mapping[str, Any], region: str) -> WebIdentityError:
    """What AWS said, or what prevented the call; redacted."""
    if not isinstance(error, ClientError):
        reason = redact(str(error)).rstrip(".")
        return WebIdentityError(
            f"the call to STS in {region} failed: {reason}",
            code=type(error).__name__,
            way_out=SOCKS if "socks" in reason else SETTINGS,
        )
    said = refusal_of(error)
    why, way_out = meaning(said.code, said.status, asked)
    return WebIdentityError(f"{why} ({said})", code=said.code, way_out=way_out)
