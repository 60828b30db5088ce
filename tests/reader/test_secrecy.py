"""No key where it doesn't belong: text of objects, copies, pickles, tracebacks with local variables, logs at DEBUG."""

from __future__ import annotations

import copy
import dataclasses
import io
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable, Iterator

import boto3
import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from myflux_keys import KeyReader, KeyReaderError, PayloadError
from myflux_keys.payload import Payload, SecretText
from myflux_keys.payload import PayloadError as MalformedPayload
from tests.reader.conftest import Clock
from tests.reader.stand_in import GET, Fault, StandIn, key_text, payload_text

SECRET = key_text("acme")
SESSION_SECRETS = ("s" * 40, "acme|2")
"""The assumed session's own secrets, as the stand-in issues them."""


def every_text(value: object) -> str:
    texts = [repr(value), str(value), f"{value}", logging.Formatter().format(_record(value))]
    texts += [pprint.pformat(value), pretty_repr(value), *traceback.format_exception_only(ValueError(value))]
    if isinstance(value, SecretText):
        texts.append(f"{value:>60}")
    return "\n".join(texts)


def _record(value: object) -> logging.LogRecord:
    return logging.LogRecord("app", logging.INFO, __file__, 1, "%s and %r", (value, value), None)


def shown_with_locals(error: BaseException) -> str:
    """The traceback as the standard library and rich show it when asked for local variables."""
    standard = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    output = io.StringIO()
    rendered = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=10_000, locals_max_length=10_000
    )
    Console(file=output, width=400).print(rendered)
    assert "test_secrecy" in standard, "the frames were really shown"
    return standard + output.getvalue()


def test_a_key_is_shown_only_when_asked_for_by_name(reader: KeyReader) -> None:
    key = reader.get("acme")
    assert key.reveal() == key.api_key.reveal() == SECRET
    for value in (key, key.api_key, [key], {"key": key}, dataclasses.asdict(key), reader, vars(reader)):
        assert SECRET not in every_text(value)


def test_payloads_and_copies_keep_it_hidden() -> None:
    payload = Payload.from_json(payload_text("acme", SECRET))
    assert SECRET not in every_text(payload) + every_text(dataclasses.asdict(payload))
    assert copy.deepcopy(payload) == payload
    assert copy.copy(payload).api_key.reveal() == SECRET


def test_keys_and_readers_are_never_pickled(reader: KeyReader) -> None:
    key = reader.get("acme")
    for value in (key, key.api_key, {"a": [key]}, reader):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(value, protocol)
    assert copy.copy(key).reveal() == SECRET, "a copy within the process is the same key"


def test_secret_text_compares_by_value_and_has_no_attributes_to_dump() -> None:
    assert SecretText(SECRET) == SecretText(SECRET)
    assert SecretText(SECRET) != SECRET
    assert len({SecretText(SECRET), SecretText(SECRET)}) == 1
    assert not hasattr(SecretText(SECRET), "__dict__")


def failure_of(reader: KeyReader) -> KeyReaderError:
    """A frame of the application around the call, with nothing else in it."""
    try:
        reader.get("acme")
    except KeyReaderError as error:
        return error
    raise AssertionError("the read was meant to fail")


def failing_reads(aws: StandIn) -> Iterator[str]:
    """Puts AWS in one state after another in which a read fails, half of them with the key within reach."""
    for name, text in (
        ("truncated", payload_text("acme", SECRET)[:-3]),
        ("no object", f'["{SECRET}"]'),
        ("bare", SECRET),
        ("other tenant", payload_text("globex", SECRET)),
        ("bad url", payload_text("acme", SECRET, base_url="http://nowhere.example")),
        ("bad time", payload_text("acme", SECRET, expires_at="never")),
    ):
        aws.put_text("acme", text)
        yield name
    aws.put("acme", SECRET)
    for fault in (Fault(400, "AccessDeniedException"), Fault(500), Fault(0)):
        aws.faults[GET] = fault
        yield f"{fault.status} {fault.code}"


def test_no_traceback_shows_a_key_or_a_session_even_with_local_variables(
    make_reader: Callable[..., KeyReader], aws: StandIn, clock: Clock
) -> None:
    seen = 0
    for name in failing_reads(aws):
        error = failure_of(make_reader())
        shown = shown_with_locals(error)
        assert SECRET not in shown, name
        assert not [secret for secret in SESSION_SECRETS if secret in shown], name
        assert error.__context__ is None, "whoever follows the chain finds no frame that held the text"
        seen += 1
    assert seen == 9


def test_a_failed_fresh_read_shows_no_key_that_is_still_cached(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    key = reader.get("acme")
    aws.faults[GET] = Fault(400, "AccessDeniedException")
    clock.advance(5)
    with pytest.raises(KeyReaderError) as caught:
        reader.get("acme", rejected=key)
    assert SECRET not in shown_with_locals(caught.value)


@pytest.mark.parametrize("cut", [3, 60])
def test_the_parser_raises_from_a_frame_without_the_text(cut: int) -> None:
    def parse() -> None:
        Payload.from_json(payload_text("acme", SECRET)[:-cut])

    with pytest.raises(MalformedPayload) as caught:
        parse()
    assert SECRET not in shown_with_locals(caught.value)
    assert caught.value.__context__ is None


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """The root logger at DEBUG, and botocore's own switched on as its documentation shows."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    root, botocore, parsers = (logging.getLogger(name) for name in (None, "botocore", "botocore.parsers"))
    before = [logger.level for logger in (root, botocore, parsers)]
    root.addHandler(handler)
    for logger in (root, botocore, parsers):
        logger.setLevel(logging.DEBUG)
    yield output
    root.removeHandler(handler)
    for logger, level in zip((root, botocore, parsers), before, strict=True):
        logger.setLevel(level)


def test_a_read_logs_no_body_whatever_the_levels_are(
    make_reader: Callable[..., KeyReader], aws: StandIn, everything_logged: io.StringIO, clock: Clock
) -> None:
    reader = make_reader()
    key = reader.get("acme")
    logging.getLogger("app").debug("the key is %s, %r", key, key)
    aws.put_text("acme", SECRET)
    clock.advance(400)
    reader.get("acme")
    assert reader.get("acme", fresh=True) == key
    clock.advance(9000)
    with pytest.raises(PayloadError):
        reader.get("acme")
    text = everything_logged.getvalue()
    assert "the key is Key(" in text, "logging was on"
    assert "the last good key" in text, "the log says that a key is stale"
    assert not [secret for secret in (SECRET, *SESSION_SECRETS) if secret in text]
    assert "Response body" not in text


def test_the_applications_own_calls_are_logged_as_before(
    make_reader: Callable[..., KeyReader], aws: StandIn, everything_logged: io.StringIO
) -> None:
    make_reader().get("acme")
    sts = boto3.Session(region_name="eu-central-1").client("sts")
    try:
        sts.get_caller_identity()
    finally:
        sts.close()
    assert "Response body" in everything_logged.getvalue(), "only the reader's calls are muted"
