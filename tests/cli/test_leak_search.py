"""The search for keys finds what is there and nothing else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import leaks
from demo.leaks import Text, encodings, files, prove_search, search

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
keys = st.text(ALPHABET, min_size=24, max_size=120).map(lambda tail: "sk-" + "svcacct-" + tail)
noise = st.binary(max_size=200)

WRITTEN = {
    "raw": lambda key: key.encode(),
    "hex": lambda key: key.encode().hex().encode(),
    "upper-case hex": lambda key: key.encode().hex().upper().encode(),
    "URL": lambda key: quote(key, safe="").encode(),
    "URL throughout": lambda key: "".join(f"%{byte:02X}" for byte in key.encode()).encode(),
}
"""Written here anew: what the search knows is not what it is tested with."""


@given(key=keys, before=noise, after=noise, how=st.sampled_from(sorted(WRITTEN)))
def test_a_key_planted_anywhere_is_found(key: str, before: bytes, after: bytes, how: str) -> None:
    found = list(search([Text("here", before + WRITTEN[how](key) + after)], {"key_1": key}))
    assert found, f"does not find a key written as {how}"
    assert {(leak.where, leak.key_id) for leak in found} == {("here", "key_1")}


@given(key=keys, before=noise, after=noise, urlsafe=st.booleans())
def test_a_key_inside_a_longer_base64_text_is_found(key: str, before: bytes, after: bytes, urlsafe: bool) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    assert list(search([Text("here", encode(before + key.encode() + after))], {"key_1": key}))


@given(key=keys, content=st.binary(max_size=2000))
def test_a_key_that_is_not_there_is_not_found(key: str, content: bytes) -> None:
    assert list(search([Text("here", content)], {"key_1": key})) == []


@given(planted=keys, sought=keys, how=st.sampled_from(sorted(WRITTEN)))
def test_another_key_is_not_mistaken_for_it(planted: str, sought: str, how: str) -> None:
    found = list(search([Text("here", WRITTEN[how](planted))], {"key_1": sought}))
    assert bool(found) is (sought in planted)


def test_each_leak_names_place_key_and_encoding_and_never_the_value() -> None:
    one, two = ("sk-" + "proj-" + letter * 30 for letter in "ab")
    texts = [Text("clean", b"nothing"), Text("state", json.dumps({"value": two}).encode())]
    (leak,) = search(texts, {"key_1": one, "key_2": two})
    assert (leak.where, leak.key_id, leak.encoding) == ("state", "key_2", "raw")
    assert two not in repr(leak)


@pytest.mark.parametrize("blind_to", sorted(encodings("sk-" + "svcacct-" + "x" * 30)))
def test_a_search_that_has_gone_blind_does_not_prove_itself(
    blind_to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_blind(texts: object, sought: dict[str, str]) -> list[leaks.Leak]:
        return [leak for leak in search(texts, sought) if leak.encoding != blind_to]  # pyright: ignore[reportArgumentType]

    prove_search(tmp_path)
    monkeypatch.setattr(leaks, "search", half_blind)
    with pytest.raises(AssertionError, match="does not find keys"):
        prove_search(tmp_path)


def test_files_are_read_whole_and_folders_and_links_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0one\xff")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert list(files(sorted(tmp_path.iterdir()))) == [Text(str(tmp_path / "a"), b"\0one\xff")]
