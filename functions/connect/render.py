"""The page as one HTML text, made once when the function starts: template, style, script and both languages.

Everything is inside the one answer, so nothing is fetched later and nothing of another origin runs. Script and style
are allowed by their hashes. The languages are data of the script, which writes them as text: HTML in them would be
shown, not run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path
from string import Template
from typing import Any, Final

from functions.shared.link import LANGUAGES

_FOLDER: Final = Path(__file__).parent / "page"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def lean(file: Path) -> str:
    """Without indentation and lines of comment, for telephones on slow networks."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def hash_of(text: str) -> str:
    """As a content security policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def words(language: str) -> dict[str, Any]:
    """The texts of one language."""
    return json.loads(_text(f"{language}.json"))


def _data() -> str:
    """``</script>`` in a text would end the element: JSON can write ``<`` in another way."""
    texts = {language: words(language) for language in LANGUAGES}
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


STYLE: Final = lean(_FOLDER / "page.css")
_SCRIPT: Final = lean(_FOLDER / "page.js")

STYLE_HASH: Final = hash_of(STYLE)
SCRIPT_HASH: Final = hash_of(_SCRIPT)
HTML: Final = Template(_text("page.html")).substitute(
    style=STYLE,
    script=_SCRIPT,
    words=_data(),
    **{f"no_script_{language}": words(language)["no_script"] for language in LANGUAGES},
)
COMPRESSED: Final = gzip.compress(HTML.encode(), mtime=0)
