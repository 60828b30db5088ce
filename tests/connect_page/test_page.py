"""The page itself: both languages say all that can happen, and nothing in it reaches out or can inject."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest.mock import ANY

import pytest

from docs.connect_screenshots import PICTURES
from functions.connect import checks, paste, prices, render
from functions.connect.visit import REFUSED_STATUS
from functions.shared import intake
from functions.shared.link import LANGUAGES

PAGE = Path(render.__file__).parent / "page"
SPANISH, ENGLISH = render.words("es"), render.words("en")


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, f"{path}[{index}]")
    else:
        yield path, value


def test_both_languages_have_the_same_texts() -> None:
    assert [path for path, _ in _texts(SPANISH)] == [path for path, _ in _texts(ENGLISH)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_check_that_is_plainly_right_says_nothing_more(language: str) -> None:
    empty = [path for path, text in _texts(render.words(language)) if not text.strip()]

    assert empty == [f".checks.{name}.ok" for name in ("shape", "accepted", "owner", "permissions")]


def test_both_languages_fill_the_same_places_and_lead_to_the_same_pages() -> None:
    for (path, spanish), (_, english) in zip(_texts(SPANISH), _texts(ENGLISH), strict=True):
        for what in (r"\{\w+\}", r"\]\((\S+?)\)", r"`[^`]+`"):
            assert sorted(re.findall(what, spanish)) == sorted(re.findall(what, english)), path


def test_no_text_was_left_untranslated() -> None:
    """Names and words of OpenAI's own site stay."""
    same = {path for (path, one), (_, other) in zip(_texts(SPANISH), _texts(ENGLISH), strict=True) if one == other}

    empty = {f".checks.{name}.ok" for name in ("shape", "accepted", "owner", "permissions")}
    assert same == empty | {".checks.models.ok", ".receipt.utc", ".steps[4].text[1]", ".steps[6].text[1][1]"}


def _reasons() -> dict[str, set[str]]:
    """Every reason that the checks can give, by check, read from their source."""
    found: dict[str, set[str]] = {name: set() for name in checks.NAMES}
    tree = ast.parse(Path(checks.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check":
            name, _, reason = node.args[:3]
            if isinstance(name, ast.Constant):
                texts = [one.value for one in ast.walk(reason) if isinstance(one, ast.Constant)]
                found[str(name.value)] |= {text for text in texts if isinstance(text, str)}
    for name, _, reason in checks._REFUSALS.values():
        found[name].add(reason)
    found["balance"].add("not_now")
    found["shape"] |= set(paste.FAULTS)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_finding_has_its_sentence_and_no_sentence_is_left_over(language: str) -> None:
    said = {name: set(texts) - {"title"} for name, texts in render.words(language)["checks"].items()}

    assert said == _reasons()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_that_the_function_answers_with_has_its_words(language: str) -> None:
    words = render.words(language)
    handled_by_the_script = {"busy", "saved"}

    assert set(REFUSED_STATUS) <= set(words["notices"]) | handled_by_the_script
    assert {"no_link", "expired", "revoked", "other_link", "away"} == set(words["problems"])
    assert set(paste.CLEANED) == set(words["cleaned"]) - {"said", "changed"}
    assert {state.value for state in checks.State} == set(words["states"]) - {"running"}
    assert {"saved", *get_args(intake.State)} == {*words["outcomes"], "refused"}
    ours = {"managed", "no_secret", "not_a_key"}
    assert set(get_args(intake.Reason)) - ours == set(words["reasons"]) - {"other"}


def test_each_models_price_is_its_own_and_has_a_day() -> None:
    assert prices.price("gpt-5.4-mini") == {"input_usd": "0.75", "output_usd": "4.5", "as_of": ANY}
    assert prices.price("gpt-5.4-mini-2026-03-17") == prices.price("gpt-5.4-mini")
    assert prices.price("gpt-5.4-mini-special") is None
    assert prices.price("gpt-99") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_is_to_openais_own_pages(language: str) -> None:
    hosts = {
        re.sub(r"https://([^/]+).*", r"\1", address)
        for _, text in _texts(render.words(language))
        for address in re.findall(r"\]\((\S+?)\)", text)
    }

    assert hosts == {"platform.openai.com", "help.openai.com", "status.openai.com"}


def test_the_page_weighs_less_than_sixty_kilobytes() -> None:
    assert len(render.HTML.encode()) < 60_000
    assert len(render.COMPRESSED) < 20_000
    assert gzip.decompress(render.COMPRESSED) == render.HTML.encode()


def test_the_page_fetches_nothing_and_nothing_of_it_can_inject() -> None:
    script = (PAGE / "page.js").read_text(encoding="utf-8")
    sinks = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser")
    kept = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "console.", "serviceWorker", "caches")

    assert not [word for word in (*sinks, *kept) if word in script]
    assert not re.findall(r'\s(?:src|srcset|action|on\w+)\s*=\s*"', render.HTML.partition("<script")[0])
    assert re.findall(r'<link [^>]*href="(?!data:)', render.HTML) == []
    assert "<form" not in render.HTML
    assert "url(" not in (PAGE / "page.css").read_text(encoding="utf-8")


def test_a_text_cannot_end_the_element_that_holds_the_texts() -> None:
    data = render.HTML.partition('id="words">')[2].partition("</script>")[0]

    assert "<" not in data
    assert set(json.loads(data)) == set(LANGUAGES)


def test_the_hashes_are_of_what_the_page_holds() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", render.HTML, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", render.HTML, re.DOTALL)

    assert (render.hash_of(style), render.hash_of(script)) == (render.STYLE_HASH, render.SCRIPT_HASH)


def test_without_javascript_it_says_so_in_both_languages() -> None:
    shown = render.HTML.partition('<main id="plain">')[2].partition("</main>")[0]

    for language in LANGUAGES:
        assert f'<p lang="{language}">{render.words(language)["no_script"]}</p>' in shown


def test_each_picture_is_shown_once() -> None:
    docs = Path(__file__).parents[2] / "docs"
    shown = re.findall(r"images/(connect-[a-z-]+)\.png", (docs / "connect-page.md").read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(file.stem for file in (docs / "images").glob("connect-*.png"))
    assert sorted(shown) == sorted(picture.name for picture in PICTURES)
