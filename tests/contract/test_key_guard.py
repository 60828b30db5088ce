"""Nothing shaped like a key gets into the repository: the guard, its hooks under real git, and this very tree."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import git_content, key_guard

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-" + "svcacct-" + "Q7" * 20
ACCESS_KEY = "AKIA" + "Q" * 16
SHIPPED = (
    *(f".githooks/{path.name}" for path in sorted((ROOT / ".githooks").iterdir())),
    "tools/__init__.py",
    "tools/key_guard.py",
    "tools/git_content.py",
    "myflux_keys/__init__.py",
    "myflux_keys/redaction.py",
    "policies/__init__.py",
    "policies/guardrails/__init__.py",
    "policies/guardrails/config.py",
    "policies/guardrails/key_shapes.py",
    "policies/guardrails/model.py",
)
"""All that the hook needs of a checkout."""


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name in SHIPPED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        self.git("init", "--quiet", "--initial-branch=main")
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

    def write(self, name: str, text: str | bytes) -> None:
        (self.root / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, name: str, text: str | bytes, message: str = "a change", *options: str) -> None:
        """Past the hooks, as a clone without them does."""
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "-qm", message, "--no-verify", *options)

    def take_out_again(self, name: str) -> None:
        self.git("rm", "-q", name)
        self.git("commit", "-qm", "take it out again")


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


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


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


def test_a_key_in_a_commit_message_is_refused(repository: Repository) -> None:
    repository.write("a.txt", "fine")
    repository.git("add", "a.txt")
    for text in (KEY, in_base64(KEY)):
        refused = repository.try_git("commit", "-m", "a subject", "-m", f"tried with {text}")
        assert refused.returncode == 1
        assert "the commit message:3: shaped like a key" in refused.stderr
        assert text not in refused.stderr
    repository.git("commit", "-qm", "a subject")
    assert repository.try_git("commit", "--amend", "-m", KEY).returncode == 1


def test_a_message_whose_author_reads_the_removed_key_below_it_is_fine(repository: Repository) -> None:
    repository.commit("a.txt", f"{KEY}\n")
    repository.git("rm", "-q", "a.txt")
    repository.git("-c", "core.editor=true", "commit", "--quiet", "--verbose", "--edit", "-m", "take the key out")


@pytest.fixture
def apart(repository: Repository) -> Repository:
    """With the branch `theirs`, and a commit on `main` that it does not have."""
    repository.git("branch", "theirs")
    repository.commit("ours.txt", "ours")
    repository.git("switch", "-q", "theirs")
    return repository


def merge_refused(repository: Repository) -> str:
    before = repository.git("rev-parse", "main").stdout
    repository.git("switch", "-q", "main")
    refused = repository.try_git("merge", "-q", "--no-edit", "theirs")
    assert refused.returncode == 1
    assert repository.git("rev-parse", "main").stdout == before
    assert KEY not in refused.stdout + refused.stderr
    return refused.stderr


def test_a_key_in_a_file_that_a_merge_brings_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", f"one\n{KEY}\n")
    assert "theirs.txt:2: shaped like a key" in merge_refused(apart)


def test_a_key_that_the_merged_branch_took_out_again_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", f"one\n{KEY}\n")
    blob = apart.git("rev-parse", "HEAD:theirs.txt").stdout[:12]
    apart.take_out_again("theirs.txt")
    assert f"theirs.txt (blob {blob}):2: shaped like a key" in merge_refused(apart)


def test_a_key_in_a_message_that_a_merge_brings_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", "fine", f"with {KEY}")
    commit = apart.git("rev-parse", "HEAD").stdout[:12]
    assert f"commit {commit}:" in merge_refused(apart)


def test_a_key_in_a_merge_whose_conflict_was_solved_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", KEY)
    apart.take_out_again("theirs.txt")
    apart.commit("ours.txt", "theirs")
    apart.git("switch", "-q", "main")
    assert apart.try_git("merge", "-q", "theirs").returncode == 1, "a conflict"
    apart.write("ours.txt", "both")
    apart.git("add", ".")
    refused = apart.try_git("commit", "--no-edit")
    assert refused.returncode == 1
    assert "theirs.txt (blob" in refused.stderr


def test_a_key_that_comes_by_fast_forward_is_told_with_the_way_back(repository: Repository) -> None:
    before = repository.git("rev-parse", "main").stdout
    repository.git("switch", "-qc", "theirs")
    repository.commit("theirs.txt", KEY)
    repository.git("switch", "-q", "main")
    told = repository.git("merge", "--ff-only", "theirs").stderr
    assert "theirs.txt (blob" in told
    assert "git reset --keep ORIG_HEAD" in told
    repository.git("reset", "--keep", "ORIG_HEAD")
    assert repository.git("rev-parse", "main").stdout == before


def test_a_merge_without_a_key_is_done(apart: Repository) -> None:
    apart.commit("theirs.txt", "fine")
    apart.git("switch", "-q", "main")
    assert apart.git("merge", "-q", "--no-edit", "theirs").stderr == ""


@pytest.fixture
def shared(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Pushed to a repository that others read, `origin`."""
    bare = tmp_path_factory.mktemp("shared") / "keys.git"
    repository.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    repository.git("remote", "add", "origin", str(bare))
    repository.git("push", "-qu", "origin", "main")
    return repository


def test_a_push_is_refused_that_would_publish_a_key_by_whatever_way_it_came(shared: Repository) -> None:
    shared.git("switch", "-qc", "theirs")
    shared.commit("theirs.txt", KEY, "theirs")
    shared.git("switch", "-q", "main")
    shared.git("cherry-pick", "theirs")
    shared.take_out_again("theirs.txt")
    refused = shared.try_git("push", "-q", "origin", "main")
    assert refused.returncode == 1
    assert "theirs.txt (blob" in refused.stderr
    assert "git rebase --interactive" in refused.stderr
    shared.git("reset", "-q", "--hard", "origin/main")
    shared.commit("fine.txt", "fine", "tried it out", "--author", f"a <{KEY}@example.com>")
    assert shared.try_git("push", "-q", "origin", "main").returncode == 1
    shared.git("commit", "-q", "--amend", "--reset-author", "--no-edit")
    shared.git("push", "-q", "origin", "main")
    shared.git("tag", "-am", f"with {KEY}", "v1")
    assert "tag " in shared.try_git("push", "-q", "origin", "v1").stderr
    shared.git("tag", "-d", "v1")
    shared.git("push", "-q", "origin", "main:other")
    shared.git("push", "-q", "origin", ":other")


def test_a_key_that_is_published_already_does_not_stop_every_later_push(shared: Repository) -> None:
    shared.commit("old.txt", KEY)
    shared.take_out_again("old.txt")
    shared.git("push", "-q", "--no-verify", "origin", "main")
    shared.commit("new.txt", "fine")
    shared.git("push", "-q", "origin", "main")


def test_make_check_finds_what_a_branch_took_out_again_and_what_its_messages_hold(
    shared: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.git("switch", "-qc", "branch")
    shared.commit("gone.txt", KEY)
    shared.take_out_again("gone.txt")
    assert key_guard.main([], shared.root) == 1
    assert "gone.txt (blob" in capsys.readouterr().err
    shared.git("reset", "-q", "--hard", "main")
    shared.commit("fine.txt", "fine", in_base64(KEY))
    assert key_guard.main([], shared.root) == 1
    assert "commit " in capsys.readouterr().err


def test_make_check_on_the_main_branch_looks_at_what_the_last_merge_brought(shared: Repository) -> None:
    shared.git("switch", "-qc", "branch")
    shared.commit("gone.txt", KEY)
    shared.take_out_again("gone.txt")
    shared.git("switch", "-q", "main")
    shared.git("merge", "-q", "--no-ff", "--no-edit", "--no-verify", "branch")
    shared.git("push", "-q", "--no-verify", "origin", "main")
    assert key_guard.main([], shared.root) == 1
    shared.commit("fine.txt", "fine")
    shared.git("push", "-q", "origin", "main")
    assert key_guard.main([], shared.root) == 0, "nobody can take it out of a published branch"


def test_a_repository_without_a_commit_and_one_with_a_submodule_are_checked(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Repository(tmp_path_factory.mktemp("other"))
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "part")
    repository.git("commit", "-qm", "a part")
    assert key_guard.main([], repository.root) == 0
    empty = tmp_path_factory.mktemp("empty")
    repository.git("init", "--quiet", str(empty))
    assert key_guard.main([], empty) == 0
    (empty / "sub").mkdir()
    (empty / "sub" / "key.txt").write_text(KEY, encoding="ascii")
    assert key_guard.main([], empty / "sub") == 1, "a folder of a bigger repository"


def test_this_repository_holds_nothing_shaped_like_a_key_and_make_check_says_so() -> None:
    assert key_guard.main([]) == 0
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "tools.key_guard" in makefile.split("\ncheck:")[1].split("\n\n")[0]
