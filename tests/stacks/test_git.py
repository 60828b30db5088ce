"""The files of a commit, whatever git's variables and attributes say; the product in a folder of a repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.stacks.git import Difference, Repository
from ops.stacks.sources import Code, folder_in
from tests.review.branches import Branches

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, at: Path = tmp_path) -> str:
        who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *who, *arguments], cwd=at, env=clean, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    folder = tmp_path / "checkout"
    (folder / "tenants").mkdir(parents=True)
    (folder / "tenants" / "acme.yaml").write_text("tenant: acme\n", encoding="utf-8")
    (folder / "tenants" / "fjord.yaml").write_text("tenant: fjord\n", encoding="utf-8")
    (folder / "version.txt").write_text("$Format:%H$\n", encoding="utf-8")
    (folder / ".gitattributes").write_text("tenants/fjord.yaml export-ignore\nversion.txt export-subst\n", "utf-8")
    git("init", "--quiet", at=folder)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--message", "Two tenants", at=folder)
    return folder


def test_a_tenant_that_archives_leave_out_is_not_new(repository: Path, tmp_path: Path, git: Git) -> None:
    (repository / "tenants" / "acme.yaml").unlink()
    read = Repository(repository)
    read.lay_out(read.commit("HEAD"), tmp_path / "tree")
    laid = {path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*") if path.is_file()}
    assert laid == {"tenants/acme.yaml", "tenants/fjord.yaml", "version.txt", ".gitattributes"}
    assert (tmp_path / "tree" / "version.txt").read_text("utf-8") == "$Format:%H$\n", "as it is in the commit"
    assert read.differences(read.commit("HEAD")) == [Difference("D", "tenants/acme.yaml")]
    assert "tenants/acme.yaml" in git("ls-files", at=repository), "the repository's own index is as it was"


def test_variables_of_another_repository_do_not_count(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = git("rev-parse", "HEAD", at=repository)
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", at=other)
    for name in git("rev-parse", "--local-env-vars").split():
        if not name.startswith("GIT_CONFIG"):
            monkeypatch.setenv(name, str(other / ".git"))
    read = Repository(repository)
    assert (read.top, read.commit("HEAD")) == (repository, head)
    read.lay_out(head, tmp_path / "tree")
    assert (tmp_path / "tree" / "tenants" / "fjord.yaml").is_file()


def test_settings_by_variable_stay(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CI job gives `safe.directory` so."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "nonsense")
    with pytest.raises(OperationError, match=r"core\.bare"):
        Repository(repository)


def test_a_git_that_may_not_be_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("no program", encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationError, match=r"git cannot be run .* correct PATH"):
        Repository(tmp_path)


def test_where_the_product_is_in_a_repository() -> None:
    assert folder_in(Path("/r"), Path("/r")) == ""
    assert folder_in(Path("/r"), Path("/r/tools/keys")) == "tools/keys/"
    assert folder_in(Path("/r"), Path("/other")) is None
    some = Code(frozenset({"program.py"}), frozenset({"a.py"}), frozenset())
    assert some.below("tools/keys/") == Code(
        frozenset({"tools/keys/program.py"}), frozenset({"tools/keys/a.py"}), frozenset()
    )


@pytest.fixture(scope="module")
def bigger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product in `s%20p/keys` of a bigger repository."""
    top = tmp_path_factory.mktemp("bigger")
    (top / "s%20p").mkdir()
    product = Branches.make(top / "s%20p" / "keys")
    shutil.rmtree(product.folder / ".git")
    product.git("init", "--quiet", "--initial-branch=main", at=top)
    product.commit("All of it")
    return product.folder


def command(product: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GIT_", "MYFLUX_", "PULUMI_"))
    }
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=product, env=clean, capture_output=True, text=True, check=False
    )


def test_in_a_folder_of_a_bigger_repository_a_change_of_code_is_seen(bigger: Path) -> None:
    for file, text in (("components/tenant_key.py", "# changed\n"), ("requirements.txt", "a-package==1.0\n")):
        with (bigger / file).open("a", encoding="utf-8") as changed:
            changed.write(text)
    said = command(bigger, "ops.cli", "up", "--changed", "HEAD")
    assert "s%20p/keys/components/tenant_key.py is changed" in said.stderr
    assert "a-package changed from none to 1.0" in said.stderr
    assert "acme.local" in said.stderr


def test_in_a_folder_of_a_bigger_repository_keys_are_found(bigger: Path) -> None:
    (bigger / "notes.md").write_text("sk-" + "proj-" + "Q7" * 20, encoding="utf-8")
    said = command(bigger, "tools.key_guard")
    assert (said.returncode, "notes.md:1: shaped like a key" in said.stderr) == (1, True)
    (bigger / "notes.md").unlink()
