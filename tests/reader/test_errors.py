"""What each failure of AWS becomes, and that a person can act on it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
)

from myflux_keys import (
    AccessDeniedError,
    KeyReader,
    KeyReaderError,
    NotReadyError,
    PayloadError,
    SecretNotFoundError,
    UnavailableError,
)
from myflux_keys.aws_errors import Reading, translate
from myflux_keys.payload import PayloadError as MalformedPayload
from tests.reader.stand_in import ASSUME, GET, WHO, Fault, StandIn, key_text, payload_text

READING = Reading("cell", "acme", "myflux/cell/acme/openai", "arn:aws:iam::123456789012:role/myflux-cell-runtime")
NO_LABEL = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"


def client_error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # pyright: ignore[reportArgumentType]
        "GetSecretValue",
    )


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (client_error("ResourceNotFoundException", NO_LABEL), NotReadyError),
        (
            client_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
            SecretNotFoundError,
        ),
        (client_error("InvalidRequestException", "… was marked for deletion."), SecretNotFoundError),
        (client_error("InvalidRequestException", "something else"), KeyReaderError),
        (client_error("AccessDeniedException"), AccessDeniedError),
        (client_error("AccessDenied", status=403), AccessDeniedError),
        (client_error("DecryptionFailure"), AccessDeniedError),
        (client_error("UnrecognizedClientException"), AccessDeniedError),
        (client_error("InvalidClientTokenId", status=403), AccessDeniedError),
        (client_error("ThrottlingException"), UnavailableError),
        (client_error("Throttling"), UnavailableError),
        (client_error("ExpiredTokenException"), UnavailableError),
        (client_error("InternalServiceError", status=500), UnavailableError),
        (client_error("Whatever", status=503), UnavailableError),
        (client_error("429", status=429), UnavailableError),
        (EndpointConnectionError(endpoint_url="https://secretsmanager"), UnavailableError),
        (ConnectTimeoutError(endpoint_url="https://secretsmanager"), UnavailableError),
        (NoCredentialsError(), UnavailableError),
        (CredentialRetrievalError(provider="iam-role", error_msg="no answer"), UnavailableError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value)[:60],
)
def test_each_failure_has_its_class_and_keeps_aws_code(
    error: ClientError | BotoCoreError, becomes: type[KeyReaderError]
) -> None:
    said = translate(error, READING)
    assert type(said) is becomes
    answer: Any = error.response if isinstance(error, ClientError) else {"Error": {"Code": type(error).__name__}}
    assert said.code == answer["Error"]["Code"]
    assert said.tenant == "acme"
    assert said.way_out
    assert said.way_out in str(said)
    assert "acme" in str(said)


def test_not_ready_says_how_a_key_gets_there(reader: KeyReader, aws: StandIn) -> None:
    aws.put_text("acme", None)
    with pytest.raises(NotReadyError) as caught:
        reader.get("acme")
    text = str(caught.value)
    assert "/aws/lambda/myflux-cell-rotation" in text, "a managed tenant's first rotation: where to look"
    assert "customer" in text, "a customer's key: who stores it"


def test_a_refusal_names_the_role_and_the_tag(reader: KeyReader, aws: StandIn) -> None:
    aws.faults[GET] = Fault(400, "AccessDeniedException", "explicit deny")
    with pytest.raises(
        AccessDeniedError, match=r"myflux-cell-runtime with session tag tenant=acme.*disabled"
    ) as caught:
        reader.get("acme")
    assert caught.value.code == "AccessDeniedException"
    assert "explicit deny" in str(caught.value), "AWS's own words help whoever reads policies"


@pytest.mark.parametrize("operation", [ASSUME, WHO])
def test_a_refusal_before_the_secret_is_a_refusal_too(reader: KeyReader, aws: StandIn, operation: str) -> None:
    aws.faults[operation] = Fault(403, "AccessDenied", "User: app is not authorized to perform it")
    with pytest.raises(AccessDeniedError, match=operation):
        reader.get("acme")
    assert aws.calls[GET] == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        (payload_text("acme", key_text("a"))[:-9], "not JSON"),
        ('["' + key_text("a") + '"]', "not a JSON object"),
        (payload_text("acme", key_text("a"), schema=2), "schema"),
        (payload_text("acme", key_text("a"), schema=True), "schema"),
        (payload_text("acme", ""), "api_key"),
        (payload_text("acme", key_text("a"), models="gpt-5"), "models"),
        (payload_text("globex", key_text("a")), "another tenant's"),
        (payload_text("acme", key_text("a"), base_url="http://api.openai.example/v1"), "https"),
        (payload_text("acme", key_text("a"), base_url="https://user:pw@api.openai.example/v1"), "https"),
        (payload_text("acme", key_text("a"), base_url="https://[oops"), "https"),
        (payload_text("acme", key_text("a"), expires_at="soon"), "expires_at"),
        (payload_text("acme", key_text("a"), minted_at="2026-01-01T00:00:00"), "minted_at"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_value_that_is_no_payload_is_refused_without_being_shown(
    reader: KeyReader, aws: StandIn, text: str, says: str
) -> None:
    aws.put_text("acme", text)
    with pytest.raises(PayloadError, match=says) as caught:
        reader.get("acme")
    assert key_text("a") not in repr(caught.value) + str(caught.value)
    assert isinstance(caught.value, MalformedPayload), "one except clause serves writer and reader"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:1/v1"])
def test_loopback_needs_no_tls(reader: KeyReader, aws: StandIn, url: str) -> None:
    aws.put("acme", key_text("a"), base_url=url)
    assert reader.get("acme").base_url == url


def test_errors_travel_between_processes_and_keep_what_they_say() -> None:
    error = translate(client_error("AccessDeniedException", "no"), READING)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), error.again()):
        assert type(twin) is AccessDeniedError
        assert (str(twin), twin.tenant, twin.code, twin.way_out) == (str(error), "acme", error.code, error.way_out)


def test_a_key_in_awss_message_is_redacted() -> None:
    error = translate(client_error("ValidationException", f"bad value {key_text('a')}"), READING)
    assert key_text("a") not in str(error)
