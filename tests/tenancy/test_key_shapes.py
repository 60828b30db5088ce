"""Nothing shaped like a key gets through, and none is ever printed: wherever it stands, however it is dressed."""

from __future__ import annotations

import logging
import tempfile
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tenancy import Cell, Fleet, TenancyError, Tenant, load
from tests.tenancy.files import TENANT, Files

BODY = "Ab3dEf6hIj9kLm2nOp5q"
KEYS = {
    "project key": "sk-" + "proj-" + BODY,
    "service account's key": "sk-" + "svcacct-" + BODY,
    "admin key": "sk-" + "admin-" + BODY,
    "legacy key": "sk-" + BODY,
    "access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "session's access key": "ASIA" + "ABCDEFGHIJKLMNOP",
}
ACME = yaml.safe_dump(TENANT, sort_keys=False)
SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def outcome(root: Path) -> Fleet | TenancyError:
    try:
        return load(root)
    except TenancyError as error:
        return error


def said(error: BaseException) -> str:
    """All that a log or a terminal could show of an error, its causes and its parts."""
    return "".join([str(error), repr(error), repr(error.args), *traceback.format_exception(error)]) + repr(vars(error))


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    "dress",
    [
        "# {key}\n{acme}",
        "{acme}# key: {key}\n",
        "{acme}api_key: {key}\n",
        "{acme}{key}: true\n",
        '{acme}? "{key}"\n: 1\n',
        "{acme}notes: [a, {{b: {key}}}]\n",
        "{acme}notes: |\n  first\n  {key}\n",
        "{acme}notes: &{key} x\n",
        "{acme}notes: *{key}\n",
        "{acme}notes: !{key} x\n",
        "%TAG ! {key}\n---\n{acme}",
        "{acme}notes: [{key}\n",
        "{acme}---\n{key}\n",
        "{key}",
    ],
)
def test_a_key_in_the_text_is_refused_with_its_line_and_not_printed(files: Files, kind: str, dress: str) -> None:
    key = KEYS[kind]
    text = dress.format(key=key, acme=ACME)
    files.write("tenants/acme.yaml", text)
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert {problem.rule for problem in error.problems} == {"key-shaped"}, "nothing else is said about such a file"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if key in line]
    assert [problem.line for problem in error.problems] == lines
    assert key not in said(error)
    assert BODY not in said(error)


@pytest.mark.parametrize(
    "dressed",
    [
        '"sk\\x2dproj-' + BODY + '"',
        '"\\u0073k-proj-' + BODY + '"',
        '"sk-proj-\\\n  ' + BODY + '"',
        "ｓｋ-proj-" + BODY,
        "sk-proj-" + BODY[:10] + "Ａ" + BODY[10:],
        "sk-\u200bproj-" + BODY,
        "sk-pr\u00adoj-" + BODY,
    ],
    ids=["hex escape", "unicode escape", "folded line", "full width", "full width inside", "zero width", "soft hyphen"],
)
@pytest.mark.parametrize("place", ["name: {key}", "extra: [{key}]", "{key}: 1", "budget: {{{key}: 1}}"])
def test_a_key_in_disguise_is_refused_and_not_printed(files: Files, dressed: str, place: str) -> None:
    files.write("tenants/acme.yaml", ACME.replace("name: Acme Travel", place.format(key=dressed)))
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    broken = "\n" in dressed and not place.startswith(("name", "extra"))
    expected = "not-yaml" if broken else "key-shaped"
    assert expected in {problem.rule for problem in error.problems}, "a field's name may not run over two lines"
    assert BODY not in said(error)
    assert dressed not in said(error)


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_as_a_files_name_is_refused_and_not_printed(files: Files, kind: str) -> None:
    files.write(f"tenants/{KEYS[kind]}.yaml", ACME)
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert [problem.rule for problem in error.problems] == ["key-shaped"]
    assert KEYS[kind] not in str(error)


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_in_a_cell_file_is_refused_too(files: Files, kind: str) -> None:
    path = files.cell()
    path.write_text(path.read_text() + f"admin_key: {KEYS[kind]}\n")
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert KEYS[kind] not in said(error)


@pytest.mark.parametrize(
    "secret", ["hunter2hunter2Hunter2hunter2", "deadbeef" * 4, "x" * 200, "x" + "sk-" + "proj-" + "y" * 20]
)
def test_what_may_be_a_credential_of_another_shape_is_withheld(files: Files, secret: str) -> None:
    files.tenant(country=secret, isolation=secret, without=())
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert secret not in said(error)
    assert "withheld" in str(error)


def test_the_value_of_an_unknown_field_is_never_printed(files: Files) -> None:
    files.tenant(password="correct horse")
    error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert "password" in str(error)
    assert "correct horse" not in said(error)


@pytest.mark.parametrize("model", [Tenant, Cell])
def test_pydantics_own_error_holds_no_input(model: type[Tenant | Cell]) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(
            {"tenant": "correct horse", "cell": ["correct horse"], "region": "correct horse", "zzz": "correct horse"}
        )
    assert "correct horse" not in str(caught.value), "whoever builds a model without files logs this text"


def test_words_that_only_resemble_keys_are_no_reason_to_refuse(files: Files) -> None:
    files.tenant(name="Task-force risk-assessment-of-everything desk-reservation-system")
    assert files.load().tenants["acme"].name.startswith("Task-force")


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, str]:
    """A tenant file with a key at any place where no letter or digit runs into it."""
    key = draw(st.sampled_from(["sk-", "sk-proj-", "sk-svcacct-", "sk-admin-"])) + draw(
        st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=60)
    )
    base = draw(st.sampled_from([ACME, "", "a: b\n", "# note\n"])) + draw(st.text(max_size=40))
    place = draw(st.integers(0, len(base)))
    before, after = base[:place], base[place:]
    border = draw(st.sampled_from([" ", "\n", "'", '"', ": ", "[", "{", "#", "%", "@", "!", "&", "*", "=", "/"]))
    return before + border + key + draw(st.sampled_from(["", " ", "\n", ": x", '"'])) + after, key


@SLOW
@given(planted())
def test_a_planted_key_is_always_refused_and_never_printed(case: tuple[str, str]) -> None:
    text, key = case
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder) / "repository")
        files.write("tenants/acme.yaml", text.encode("utf-8", "surrogatepass"))
        error = outcome(files.root)
    assert isinstance(error, TenancyError)
    assert key not in said(error)


WORDS = """null NO true 1e3 .inf 0x1F -0 1.5 << &a *a !t ? - --- ... %YAML tenant acme models rotation every_days
consumers source customer managed"""
PIECES = st.sampled_from(
    [*":[]{},|>'#\"\t\r\n\x00\ufeff ", *WORDS.split(), "  ", "- ", "? ", "---\n", "...\n", "9" * 5000]
)


@SLOW
@given(
    st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join), st.binary(max_size=200)),
    st.booleans(),
    st.booleans(),
)
def test_any_text_loads_or_is_refused_and_nothing_else_happens(text: str | bytes, after: bool, pure: bool) -> None:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenancy.document._LOADER", yaml.SafeLoader if pure else yaml.CSafeLoader)
        files = Files(Path(folder) / "repository")
        files.write("tenants/acme.yaml", ACME.encode() + content if after else content)
        found = outcome(files.root)
    if isinstance(found, TenancyError):
        str(found).encode()
        assert found.problems
    else:
        assert list(found.tenants) == ["acme"]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@SLOW
@given(st.dictionaries(st.sampled_from([*TENANT, "isolation", "permission", "enabled"]), VALUES, max_size=4))
def test_any_value_in_any_field_loads_or_is_refused_and_nothing_else_happens(changes: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder) / "repository")
        files.tenant(**changes)
        found = outcome(files.root)
    assert isinstance(found, TenancyError | Fleet)


def test_nothing_is_logged_while_files_are_read(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    files.write("tenants/acme.yaml", f"x: {KEYS['admin key']}\n")
    outcome(files.root)
    assert caplog.records == []
