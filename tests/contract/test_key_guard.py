"""Nothing shaped like a key gets into the repository: the guard, its hook under real git, and this very tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import key_guard

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-" + "svcacct-" + "Q7" * 20
ACCESS_KEY = "AKIA" + "Q" * 16
SHIPPED = (
    ".githooks/pre-commit",
    "tools/__init__.py",
    "tools/key_guard.py",
    "myflux_keys/__init__.py",
    "myflux_keys/redaction.py",
)
"""All that the hook needs of a checkout."""


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name in SHIPPED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        self.git("init", "--quiet")
        self.git("config", "core.hooksPath", ".githooks")
        self.git("add", ".")
        self.git("commit", "-qm", "what the hook needs")

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        told = self.try_git(*arguments)
        assert told.returncode == 0, told.stderr
        return told

    def try_git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.parametrize("key", [KEY, ACCESS_KEY], ids=["OpenAI", "AWS"])
def test_a_commit_that_holds_a_key_is_refused_and_the_key_is_not_shown(repository: Repository, key: str) -> None:
    repository.write("notes.md", f"one\ntwo {key}\n")
    repository.git("add", "notes.md")
    refused = repository.try_git("commit", "-m", "notes")
    assert refused.returncode == 1
    assert "notes.md:2: shaped like a key" in refused.stderr
    assert "revoke" in refused.stderr, "whoever reads this needs the way out"
    assert key not in refused.stdout + refused.stderr
    assert "notes" not in repository.git("log", "--format=%s").stdout


def test_what_counts_is_what_would_be_committed(repository: Repository) -> None:
    repository.write("a.txt", KEY)
    repository.git("add", "a.txt")
    repository.write("a.txt", "taken out, and not added again")
    assert repository.try_git("commit", "-m", "a").returncode == 1, "the index still holds it"
    repository.git("add", "a.txt")
    repository.write("b.txt", KEY)
    repository.git("commit", "-qm", "a")
    assert repository.try_git("commit", "-am", "nothing else").returncode == 1, "git has nothing to commit"
    repository.git("add", "b.txt")
    assert repository.try_git("commit", "-m", "b").returncode == 1


def test_a_key_in_a_name_or_among_bytes_is_found_and_a_link_is_not_followed(tmp_path: Path) -> None:
    assert list(key_guard.findings([(f"{KEY}.txt", b"")])) == ["[redacted].txt:0"]
    assert list(key_guard.findings([("x.bin", b"\xff\0\n\xfe" + KEY.encode() + b"\0")])) == ["x.bin:2"]
    repository = Repository(tmp_path)
    repository.write("outside.txt", KEY)
    repository.write(".gitignore", "outside.txt\n")
    (tmp_path / "link").symlink_to("outside.txt")
    assert list(key_guard.findings(key_guard.committable(tmp_path))) == [], "what git ignores is not committed"


def test_the_check_looks_at_files_that_nobody_has_added_yet(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert key_guard.main([], repository.root) == 0
    repository.write("new.env", f"OPENAI_API_KEY={KEY}\n")
    assert key_guard.main([], repository.root) == 1
    told = capsys.readouterr().err
    assert "new.env:1" in told
    assert KEY not in told


def test_the_check_looks_at_its_own_repository_whatever_gits_variables_say(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path_factory.mktemp("other"))
    repository.write("new.env", KEY)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    assert key_guard.main([], repository.root) == 1


def test_the_hook_works_in_a_folder_of_a_bigger_repository(tmp_path: Path) -> None:
    product = Repository(tmp_path / "tools" / "keys")
    shutil.rmtree(product.root / ".git")
    bigger = Repository(tmp_path)
    bigger.git("config", "core.hooksPath", "tools/keys/.githooks")
    for name in ("notes.md", "tools/keys/notes.md"):
        bigger.write(name, KEY)
        bigger.git("add", name)
        refused = bigger.try_git("commit", "-m", "notes")
        assert refused.returncode == 1
        assert f"{name}:1: shaped like a key" in refused.stderr
        bigger.git("rm", "--quiet", "--force", name)


def test_a_git_that_does_not_answer_is_no_clean_bill(repository: Repository) -> None:
    (repository.root / ".git" / "HEAD").write_text("broken", encoding="ascii")
    assert key_guard.main([], repository.root) == 2


def test_this_repository_holds_nothing_shaped_like_a_key_and_make_check_says_so() -> None:
    assert key_guard.main([]) == 0
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "tools.key_guard" in makefile.split("\ncheck:")[1].split("\n\n")[0]
