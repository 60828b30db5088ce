"""What the functions write: never a key, with the root logger at DEBUG and an error forced at every call."""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.rotation import handler
from functions.shared import log
from functions.shared.admin_key import AdminKey, AdminKeyMissing
from functions.shared.rotation_frame import RotationFailed
from functions.shared.secrets_client import new_client
from myflux_keys.payload import SecretText
from tests.functions.fake_secrets import refusal
from tests.functions.wire import http, wire
from tests.functions.world import STEPS, World

KEY = "sk-" + "admin-" + "Ad3min" * 8


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that reaches the root logger's handlers at DEBUG, and standard output and error."""
    text = io.StringIO()
    root, level = logging.getLogger(), logging.getLogger().level
    catcher = logging.StreamHandler(text)
    root.addHandler(catcher)
    root.setLevel(logging.DEBUG)
    monkeypatch.setattr(sys, "stdout", text)
    monkeypatch.setattr(sys, "stderr", text)
    yield text
    root.removeHandler(catcher)
    root.setLevel(level)


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def _invoke(world: World, step: str, token: str) -> None:
    handler.handler({"Step": step, "SecretId": world.secrets.arn, "ClientRequestToken": token}, Context())


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The handler as Lambda calls it: settings from the environment, clients of its own making."""
    environment = world.environment
    monkeypatch.setenv("MYFLUX_CELL", environment.cell)
    monkeypatch.setenv("MYFLUX_ADMIN_SECRET", environment.admin_secret)
    monkeypatch.setenv("OPENAI_BASE_URL", environment.base_url)
    monkeypatch.setenv("MYFLUX_ORGANIZATION_ID", environment.organization_id)
    monkeypatch.setattr(handler, "warm", lambda admin_secret: world.kept)
    monkeypatch.setattr(handler.Deadline, "of", lambda context: world.time.deadline())
    return world


def _check_clean(world: World, *texts: str) -> None:
    keys = [key.value for key in world.control.minted()]
    assert len(keys) >= 2, "the search has something to find"
    for text in texts:
        for key in keys:
            assert key not in text
            assert key[12:40] not in text, "no part of a key either"


def test_each_step_writes_one_line_of_json_without_a_key(deployed: World, written: io.StringIO) -> None:
    deployed.secrets.begin_rotation("token-1")
    for step in STEPS:
        _invoke(deployed, step, "token-1")
    lines = [json.loads(line) for line in written.getvalue().splitlines() if line.startswith("{")]
    steps = [line for line in lines if line["event"] == "rotation.step"]
    assert [line["step"] for line in steps] == list(STEPS)
    assert {line["tenant"] for line in steps} == {deployed.tenant}
    assert steps[0]["key_id"] == deployed.payload().key_id, "the key's id is no secret, and is what people search for"
    _check_clean(deployed, written.getvalue())


@pytest.mark.parametrize("kind", [RuntimeError, "ClientError"])
def test_no_error_at_any_call_shows_a_key(
    deployed: World, written: io.StringIO, kind: Callable[[str], Exception] | str
) -> None:
    """Errors that quote the key themselves, as a careless library would."""
    index = 0
    deployed.rotate()
    while True:
        left, struck = [index], list[str]()

        def strike(moment: str, name: str, left: list[int] = left, struck: list[str] = struck) -> None:
            left[0] -= 1
            if left[0] < 0 and not struck:
                struck.append(name)
                text = " ".join(key.value for key in deployed.control.minted()[-3:])
                raise refusal(name, "Boom", text) if isinstance(kind, str) else kind(text)

        deployed.secrets.on_call = deployed.on_openai = strike
        token = f"token-{index}"
        deployed.secrets.begin_rotation(token)
        deployed.restart()
        shown = ""
        try:
            for step in STEPS:
                _invoke(deployed, step, token)
        except RotationFailed:
            shown = traceback.format_exc()
        deployed.secrets.on_call = deployed.on_openai = lambda moment, name: None
        for step in STEPS:
            _invoke(deployed, step, token)
        _check_clean(deployed, shown, written.getvalue())
        if not struck:
            break
        index += 1
    assert index > 15, "every call was struck, before and after"
    assert "[redacted]" in written.getvalue(), "the errors did quote keys"


def _answer_with_key() -> bytes:
    return http("200 OK", json.dumps({"Name": "x", "SecretString": KEY, "VersionId": "v" * 32}).encode())


@pytest.mark.parametrize("configured", [True, False])
def test_botocore_is_silent_even_when_the_root_logger_is_at_debug(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    for name, value in {
        "ACCESS_KEY_ID": "AKIA" + "X" * 16,
        "SECRET_ACCESS_KEY": "y",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with wire(_answer_with_key()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url.removesuffix("/v1"))
        client = new_client()
        if configured:
            log.configure()
        assert AdminKey(client, "myflux-admin/local/openai").get() == SecretText(KEY)
        client.close()
    assert (KEY in written.getvalue()) is not configured, "without the quieting botocore does print the value"


def test_what_other_loggers_say_is_redacted_on_its_way(written: io.StringIO) -> None:
    log.configure()
    logging.getLogger("somebody.else").debug("got %s", KEY)
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("somebody.else").exception("failed")
    assert KEY not in written.getvalue()
    assert written.getvalue().count("[redacted]") == 2


def test_configuring_twice_adds_nothing_twice() -> None:
    log.configure()
    before = [list(place.filters) for place in (log.LOGGER, *logging.getLogger().handlers)]
    log.configure()
    assert [list(place.filters) for place in (log.LOGGER, *logging.getLogger().handlers)] == before


def test_a_failure_names_aws_code_and_operation() -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no " + KEY}}, "GetSecretValue")
    assert log.failure_text(error) == "GetSecretValue was refused: AccessDeniedException: no [redacted]"


@pytest.mark.parametrize("text", ["", "not a key", KEY + "\n" + KEY, json.dumps({"api_key": KEY})])
def test_an_admin_secret_that_holds_no_bare_key_is_refused_without_showing_it(text: str) -> None:
    class Client:
        def get_secret_value(self, **named: Any) -> dict[str, str]:
            return {"SecretString": text}

    with pytest.raises(AdminKeyMissing, match="admin-key set --cell local") as caught:
        AdminKey(Client(), "myflux-admin/local/openai").get()  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "options"),
    [
        ("myflux-admin/prod-eu1/openai", "--cell prod-eu1"),
        ("myflux-admin/local/acme/openai", "--tenant acme --cell local"),
    ],
)
def test_an_admin_key_that_is_missing_is_asked_for_with_the_options_of_its_secret(secret: str, options: str) -> None:
    class Client:
        def get_secret_value(self, **named: Any) -> dict[str, str]:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")

    with pytest.raises(AdminKeyMissing, match=f"{secret} has no key yet.*`myflux-keys admin-key set {options}`"):
        AdminKey(Client(), "myflux-admin/another/openai").at(secret).get()  # type: ignore[arg-type]


def test_the_admin_key_is_read_once_and_kept_for_minutes() -> None:
    reads, now = list[str](), [0.0]

    class Client:
        def get_secret_value(self, **named: Any) -> dict[str, str]:
            reads.append(named["SecretId"])
            return {"SecretString": KEY + "\n"}

    admin_key = AdminKey(Client(), "name", monotonic=lambda: now[0])  # type: ignore[arg-type]
    assert admin_key.get() == admin_key.get() == SecretText(KEY)
    assert len(reads) == 1
    now[0] = 301.0
    admin_key.get()
    assert len(reads) == 2, "a replaced or withdrawn key is not used for long"
