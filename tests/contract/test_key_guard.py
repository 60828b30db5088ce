"""Nothing shaped like a key gets into the repository: the guard, its hooks under real git, and this very tree."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from tests.contract.guarded import ACCESS_KEY, KEY, Repository, in_base64
from tools import git_content, key_guard


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
    held = git_content.Repository(tmp_path)
    assert list(key_guard.findings(held.working_tree())) == [], "what git ignores is not committed"
    (tmp_path / "told").symlink_to(KEY)
    assert list(key_guard.findings(held.working_tree())) == ["told:1"], "the text of a link is committed"


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


def test_the_hooks_work_in_a_folder_of_a_bigger_repository_and_in_a_worktree(tmp_path: Path) -> None:
    product = Repository(tmp_path / "keys")
    shutil.rmtree(product.root / ".git")
    (tmp_path / "own").mkdir()
    bigger = Repository(tmp_path / "own")
    shutil.move(product.root, bigger.root / "keys")
    shutil.rmtree(bigger.root / ".githooks")
    bigger.commit("first.txt", "first")
    bigger.git("add", "--all")
    bigger.git("config", "core.hooksPath", "keys/.githooks")
    bigger.git("commit", "-qm", "the product in a folder")
    bigger.git("worktree", "add", "-q", "-b", "theirs", str(tmp_path / "beside"))
    beside = Repository.__new__(Repository)
    beside.root = tmp_path / "beside"
    for one in (bigger, beside):
        one.write("notes.md", KEY)
        one.git("add", "notes.md")
        assert "notes.md:1: shaped like a key" in one.try_git("commit", "-m", "notes").stderr
        one.write("notes.md", f"fine in {one.root.name}")
        one.git("add", "notes.md")
        assert "the commit message:1" in one.try_git("commit", "-m", KEY).stderr
        one.git("commit", "-qm", "fine")
    beside.commit("theirs.txt", KEY)
    beside.take_out_again("theirs.txt")
    beside.commit("notes.md", "fine in own")
    bigger.commit("more.txt", "more")
    assert "theirs.txt (blob" in bigger.try_git("merge", "--no-edit", "theirs").stderr


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


def in_lines(text: str, width: int) -> str:
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


WRITTEN = {
    "UTF-16, as PowerShell's > writes it": (f"OPENAI_API_KEY={KEY}\r\n".encode("utf-16"), 1),
    "UTF-16 without a mark": (f"é\nkey: {KEY}\n".encode("utf-16-le"), 2),
    "UTF-16, big end first": (b"\xfe\xff" + f"Ł{KEY}\n".encode("utf-16-be"), 1),
    "UTF-16 among bytes": (b"\x7fELF\0" + KEY.encode("utf-16-le") + b"\0\0", 1),
    "UTF-32": (f"\n\n{ACCESS_KEY}\n".encode("utf-32"), 3),
    "base64": (f"apiVersion: v1\ndata:\n  key: {in_base64(KEY)}\n".encode(), 3),
    "base64 of a header": (f"authorization: Basic {in_base64(f'user:{KEY}')}\n".encode(), 1),
    "base64 for addresses": (base64.urlsafe_b64encode(f"?>?>{KEY}".encode()), 1),
    "base64 in lines": (f"-\n{in_lines(in_base64(f'some text before it {KEY}'), 30)}\n".encode(), 3),
    "base64 twice": (in_base64(f'{{"auth": "{in_base64(KEY)}"}}').encode(), 1),
    "base64 of UTF-16": (base64.b64encode(KEY.encode("utf-16-le")), 1),
    "base64 in UTF-16": (f"key={in_base64(ACCESS_KEY)}\n".encode("utf-16"), 1),
}


@pytest.mark.parametrize(("content", "line"), WRITTEN.values(), ids=WRITTEN)
def test_a_key_in_another_encoding_is_found_with_its_line(content: bytes, line: int) -> None:
    assert list(key_guard.findings([("key.txt", content)])) == [f"key.txt:{line}"]


def test_utf_16_and_base64_are_refused_by_the_hook_and_by_make_check(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write("powershell.txt", f"OPENAI_API_KEY={KEY}\r\n".encode("utf-16"))
    repository.write("secret.yaml", f"data:\n  key: {in_base64(KEY)}\n")
    assert key_guard.main([], repository.root) == 1
    repository.git("add", ".")
    refused = repository.try_git("commit", "-m", "the key")
    assert refused.returncode == 1
    for told in (capsys.readouterr().err, refused.stderr):
        assert "powershell.txt:1: shaped like a key" in told
        assert "secret.yaml:2: shaped like a key" in told
        assert in_base64(KEY) not in told


def test_long_names_digests_and_plain_base64_are_no_keys(repository: Repository) -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    repository.write("fine.txt", f"{digest}\n{in_base64('nothing to see here, only words')}\n{'a_long_name' * 9}\n")
    repository.write("fine.bin", bytes(range(256)) * 64)
    repository.git("add", ".")
    repository.git("commit", "-qm", "fine")
    assert key_guard.main([], repository.root) == 0


def test_this_repository_holds_nothing_shaped_like_a_key() -> None:
    assert key_guard.main([]) == 0
