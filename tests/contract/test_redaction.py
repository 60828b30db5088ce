"""Redaction: every shape of key goes, ordinary text stays, and the logging filter misses no part of a record."""

from __future__ import annotations

import io
import json
import logging
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys.redaction import REDACTED, RedactingFilter, looks_like_key, redact

KEY = "sk-" + "proj-" + "Ab1_" * 8
ACCESS_KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
SHAPES = {
    "project key": KEY,
    "service account key": "sk-" + "svcacct-" + "x" * 40,
    "admin key": "sk-" + "admin-" + "Z9" * 20,
    "legacy key": "sk-" + "a1B2" * 12,
    "access key": ACCESS_KEY,
    "session access key": "ASIA" + "ABCDEFGHIJKLMNOP",
}
AROUND = {
    "bare": "{}",
    "header": "Authorization: Bearer {}",
    "json": '{{"api_key":"{}"}}',
    "url-encoded": "key%3D{}",
    "url-encoded space": "Bearer%20{}&x=1",
    "assignment": "OPENAI_API_KEY={};",
    "escaped newline": r"first line\n{}\nnext",
    "escaped tab": r"a\t{}",
    "escaped hex": r"a\x20{}",
    "escaped unicode": r"a\u0020{}",
    "path": "/var/{}/x",
    "repr of bytes": "b'{}'",
}
ORDINARY = [
    "tenant acme rotated in 3.2 s; secret myflux/prod-eu1/acme/openai",
    "risk-management-and-compliance-report",
    "task-runner-for-nightly-builds",
    "disk-usage-of-the-whole-cluster-is-fine",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:myflux/prod/acme/openai-AbCdEf",
    "sk-short",
    "AKIA is a prefix of access keys",
    "https://example.com/ask-anything-you-want-to-know",
    "key_id=key_0123456789abcdef project=proj_0123456789abcdef",
    "5d41402abc4b2a76b9719d911017c592",
    "",
]


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_every_shape_goes_wherever_it_stands(shape: str, around: str) -> None:
    text = around.format(shape)
    assert shape not in redact(text)
    assert REDACTED in redact(text)
    assert looks_like_key(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text
    assert not looks_like_key(text)


@given(st.text(), st.text())
def test_nothing_around_a_separated_key_saves_it(before: str, after: str) -> None:
    assert KEY not in redact(f"{before} {KEY} {after}")


@given(st.text(alphabet=st.characters(exclude_characters="%\\"), max_size=40))
def test_redaction_is_stable_and_survives_encoding(text: str) -> None:
    once = redact(f"{text} {KEY}")
    assert redact(once) == once
    assert KEY not in urllib.parse.unquote(redact(urllib.parse.quote(f" {KEY}")))
    assert KEY not in redact(json.dumps({"text": f"{text}\n{KEY}"}))


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(extra)s", defaults={"extra": "-"}))
    handler.addFilter(RedactingFilter())
    # Not `getLogger`: nobody else is to find it.
    logger = logging.Logger("myflux-test.redaction", logging.DEBUG)
    logger.addHandler(handler)
    return logger, output


def test_the_filter_redacts_messages_arguments_extras_and_tracebacks(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, output = log
    logger.info("key %s", KEY)
    logger.info("keys %(a)s", {"a": [KEY]})
    logger.info("done", extra={"extra": {"headers": {"Authorization": f"Bearer {KEY}"}}})
    logger.info("%s", KEY, extra={"extra": KEY}, stack_info=True)
    try:
        raise ValueError(f"refused: {KEY}")
    except ValueError:
        logger.exception("failed with %s", ACCESS_KEY)
    text = output.getvalue()
    assert KEY not in text
    assert ACCESS_KEY not in text
    assert "ValueError: refused: " + REDACTED in text, "the traceback is still there to read"
    assert text.count(REDACTED) >= 6


def test_a_handler_that_formats_exceptions_itself_gets_none_to_format() -> None:
    try:
        raise ValueError(KEY)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("app", logging.ERROR, __file__, 1, "failed", None, info)
    assert RedactingFilter().filter(record)
    assert record.exc_info is None
    assert KEY not in (record.exc_text or KEY)


def test_a_call_whose_arguments_do_not_fit_is_logged_not_raised(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, output = log
    logger.info("%d of %d", KEY)
    assert "%d of %d" in output.getvalue()
    assert KEY not in output.getvalue()


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_records_read_as_before(log: tuple[logging.Logger, io.StringIO], text: str) -> None:
    logger, output = log
    logger.info("%s", text)
    assert output.getvalue() == f"myflux-test.redaction {text} -\n"
