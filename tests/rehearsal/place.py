"""Where the page is played: a local cell, a repository with a remote, and the people of the page.

What the page names and this machine has not is replaced in each block, and in nothing else: WORDS, and two lines in the
cell's file. What runs is the product as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local import addresses
from local.cell import LocalCell
from tests.ci.stand_in import GitHubStandIn
from tests.rehearsal.people import Person, path

ROOT: Final = Path(__file__).resolve().parents[2]
CELL: Final = "prod-eu1"
TENANT: Final = "acme-travel"
CELL_FILE: Final = f"cells/{CELL}.yaml"

OPERATOR: Final = "operator"

_BECOME: Final = """eval "$(.venv/bin/python -c 'import boto3
held = boto3.Session(profile_name="{profile}").get_credentials().get_frozen_credentials()
print("export AWS_ACCESS_KEY_ID=" + held.access_key)
print("export AWS_SECRET_ACCESS_KEY=" + held.secret_key)
print("export AWS_SESSION_TOKEN=" + held.token)')\""""

WORDS: Final[Mapping[str, str]] = {
    "123456789012": "000000000000",
    "eu-central-1": "us-east-1",
    "org-example": "org-local",
    "role/myflux-operator": "user/operator",
    "export AWS_PROFILE=prod-eu1": _BECOME.format(profile=CELL),
    'role/myflux-app"': 'role/myflux-app", "arn:aws:iam::000000000000:user/runtime"',
}
"""The page's word, and what stands for it here. `operator` is a user without any right; the user `runtime` runs what a
container of the application would run. The engine's Go SDK asks for a profile's role at AWS's own address, whatever
AWS_ENDPOINT_URL says: here boto3 asks for it."""

LOCAL: Final = "local: true\nrehearsal: true\n"
"""The cell's file says so too: docs/adr/0025."""

_OF_THIS_SHELL: Final = ("LANG", "LC_ALL", "TMPDIR", "MYFLUX_CACHE", "GOCACHE", "GOPATH", "SSL_CERT_FILE")


@dataclass
class Place:
    folder: Path
    cell: LocalCell
    github: GitHubStandIn
    people: dict[str, Person] = field(default_factory=dict[str, Person])

    @property
    def remote(self) -> Path:
        return self.folder / "keys.git"

    def prepare(self) -> None:
        """The repository as it is here, with what is not committed, on the branch main of a remote."""
        source = self.folder / "source"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
        git(source, "init", "--quiet", "--initial-branch=main")
        git(source, "add", "--all")
        git(source, "commit", "--quiet", "--message", "The repository as it is")
        git(self.folder, "clone", "--quiet", "--bare", str(source), str(self.remote))
        self.client("iam").create_user(UserName=OPERATOR)
        addresses.publish(self.cell.home, self.github.issuer.host, self.github.issuer.url)

    def person(self, name: str, user: str) -> Person:
        """`user` is whose access key of the cell they have."""
        if name in self.people:
            return self.people[name]
        home = self.folder / "people" / name.replace(" ", "-")
        home.mkdir(parents=True)
        checkout = home / "keys"
        git(home, "clone", "--quiet", str(self.remote), str(checkout))
        # With the times that `make install` compares, so that nothing is installed again.
        for file in ("requirements-dev.txt", "pyproject.toml"):
            shutil.copystat(ROOT / file, checkout / file)
        (checkout / ".venv").symlink_to(ROOT / ".venv")
        (home / ".gitconfig").write_text(f"[user]\nname = {name}\nemail = {user}@myflux.example\n", encoding="utf-8")
        (home / ".aws").mkdir(mode=0o700)
        key, secret = self._access_key(user)
        (home / ".aws" / "credentials").write_text(
            f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n", encoding="utf-8"
        )
        self.people[name] = Person(name, home, checkout, self.environment(home))
        return self.people[name]

    def _access_key(self, user: str) -> tuple[str, str]:
        if user != OPERATOR:
            held = self.cell.credentials(user)
            return held.access_key_id, held.secret_access_key
        made = self.client("iam").create_access_key(UserName=user)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def environment(self, home: Path) -> dict[str, str]:
        """As in a terminal of theirs, with where AWS and OpenAI answer on this machine."""
        computed = self.cell.environment()
        kept = {name: os.environ[name] for name in _OF_THIS_SHELL if name in os.environ}
        given = ("AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL", "MYFLUX_LOCAL_OPENAI_URL", "NO_PROXY", "no_proxy")
        return (
            kept
            | {name: computed[name] for name in (*given, "PULUMI_SKIP_UPDATE_CHECK")}
            | {
                "AWS_DEFAULT_REGION": self.cell.region,
                "AWS_PAGER": "",
                "HOME": str(home),
                "PATH": path(ROOT / ".venv" / "bin", base=computed["PATH"]),
                "PULUMI_HOME": computed.get("PULUMI_HOME", str(Path.home() / ".pulumi")),
            }
        )

    def text(self, block_file: str, text: str) -> str:
        for word, here in WORDS.items():
            text = text.replace(word, here)
        if block_file == CELL_FILE:
            text = text.replace("production: true", f"production: true\n{LOCAL.rstrip()}")
        return text

    def merge(self, branch: str) -> None:
        """The pull request, as somebody merges it on GitHub."""
        checkout = self.folder / "merging"
        git(self.folder, "clone", "--quiet", str(self.remote), str(checkout))
        git(checkout, "merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", f"origin/{branch}")
        git(checkout, "push", "--quiet", "origin", "main")
        shutil.rmtree(checkout)

    def client(self, service: str, user: str = "administrator") -> Any:
        return self.cell.client(user, service)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@myflux.example"]
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()
