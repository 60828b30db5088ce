"""The functions' zips: the same bytes anywhere, just what is needed, and no way to mint where none is due."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tenancy
from functions import packer
from program import platform_args
from tenancy import Cell
from tests.tenancy.files import REAL

ROOT = Path(__file__).resolve().parents[2]
KINDS = list(packer.KINDS)
_MORE = {
    "rotation": ("key_life", "version_labels"),
    "provisioner": ("declaration", "identity", "role_names"),
    "admin_rotation": ("key_life", "version_labels"),
    "sweep": ("admin_budget", "consumers", "declaration", "identity", "key_life", "role_names", "version_labels"),
    "health": ("admin_budget", "consumers", "declaration", "identity", "key_life", "role_names", "version_labels"),
    "promoter": ("version_labels",),
}
"""What a bundle needs of the shared package besides. That of the page, which holds no code alone, has its own tests in
tests/connect_page."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sources_give_the_same_bytes_anywhere(kind: str, tmp_path: Path) -> None:
    first = packer.build(kind, tmp_path / "a.zip")
    build = f"packer.build({kind!r}, pathlib.Path('b/c.zip'))"
    script = f"import os, pathlib; os.umask(0o077); from functions import packer; {build}"
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    second = tmp_path / "b" / "c.zip"
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert packer.build(kind, tmp_path / "a.zip") == first, "an older one is replaced"


def test_nothing_is_fetched_to_build_one(tmp_path: Path) -> None:
    deaf = (
        "import socket, subprocess, os, pathlib\n"
        "def no(*_, **__): raise OSError('the network was asked for')\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = subprocess.Popen = os.system = no\n"
        "from functions import packer\n"
        f"for kind in {KINDS!r}: packer.build(kind, pathlib.Path(kind))\n"
    )
    subprocess.run([sys.executable, "-c", deaf], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(KINDS)


def test_a_local_cell_is_given_the_same_bytes_as_one_at_aws() -> None:
    """Each time built by the program itself: nothing of a cell goes into its functions' code."""
    local = tenancy.load(ROOT, only="").cells["local"]
    real = Cell.model_validate(REAL)
    digests: list[list[str]] = []
    for cell, url in ((local, "http://127.0.0.1:9/v1"), (real, None)):
        args = platform_args(cell, url)
        archives = tuple(args.archives.values())
        digests.append([packer.sha256(Path(archive)) for archive in archives])
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == len(digests[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_times_and_permissions_of_the_sources_do_not_matter(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = packer.build(kind, tmp_path / "a.zip").read_bytes()
    copy = tmp_path / "copy"
    for path in packer.modules(kind):
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / path).read_bytes().replace(b"\n", b"\r\n"))
        target.chmod(0o600)
        os.utime(target, (1, 1))
    monkeypatch.setattr(packer, "ROOT", copy)
    assert packer.build(kind, tmp_path / "b.zip").read_bytes() == before, "a checkout with CRLF gives the same zip"


@pytest.mark.parametrize("kind", _MORE)
def test_a_bundle_runs_alone_and_holds_what_it_may(kind: str, tmp_path: Path) -> None:
    path = packer.build(kind, tmp_path / "x.zip")
    # The sweep shares the rotation's rules and has its own, and the health function has both languages' texts and
    # answers commands: they are over the goal that the others keep.
    assert path.stat().st_size <= {"sweep": 240_000, "health": 330_000}.get(kind, 116_000)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "task")
    assert names == sorted(names)
    needed = ("__init__", "names", "payload", "redaction", *_MORE[kind])
    ours = {f"myflux_keys/{name}.py" for name in needed}
    assert {name for name in names if name.startswith("myflux_keys/")} == ours
    assert not [name for name in names if "__pycache__" in name or not name.endswith(".py")]
    handlers = {name for name in names if name.endswith("/handler.py")}
    assert handlers == {f"functions/{kind}/handler.py"}, "no function carries another one"
    script = (
        f"import sys; import functions.{kind}.handler as h; "
        "print(h.__file__, *(m for m in sys.modules if m.startswith(('functions', 'myflux'))))"
    )
    environment = {"PYTHONPATH": str(tmp_path / "task"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    where, *loaded = done.stdout.split()
    assert where.startswith(str(tmp_path / "task"))
    packed = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names}
    assert set(loaded) == packed, "everything packed is used, and everything used is packed"


def _texts(source: str) -> list[str]:
    """Every text in a module but docstrings, with the fixed parts of f-strings and of joined texts together."""
    tree = ast.parse(source)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        " ".join(str(c.value) for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Call) and id(node) not in docs
    ]


def _mints(source: str) -> bool:
    return any("service_accounts" in text and "api_keys" in text for text in _texts(source))


def _code(kind: str) -> list[Path]:
    return [path for path in packer.modules(kind) if path.suffix == ".py"]


def test_only_the_rotation_can_mint() -> None:
    holders = {
        kind: {path.as_posix() for path in _code(kind) if _mints((ROOT / path).read_text(encoding="utf-8"))}
        for kind in KINDS
    }
    assert holders["rotation"] == {"functions/rotation/mint.py"}, "the search does find the minting call"
    assert holders["provisioner"] == set(), "a stolen provisioner cannot make a key"
    assert holders["admin_rotation"] == set(), "nor can the admin key's rotation make a tenant's"


def test_only_the_admin_rotation_makes_admin_keys() -> None:
    for kind in KINDS:
        carried = {path.as_posix() for path in packer.modules(kind)}
        assert ("functions/admin_rotation/mint.py" in carried) == (kind == "admin_rotation")


def test_the_provisioner_names_no_call_that_makes_an_account_with_a_key() -> None:
    source = (ROOT / "functions/provisioner/project.py").read_text(encoding="utf-8")
    asked = [
        dict(zip((ast.literal_eval(k) for k in node.keys if k), node.values, strict=True))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict) and "create_service_account_only" in ast.dump(node)
    ]
    assert len(asked) == 1
    flag = asked[0]["create_service_account_only"]
    assert isinstance(flag, ast.Constant)
    assert flag.value is True


def test_a_module_from_elsewhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = tmp_path / "functions" / "rotation" / "handler.py"
    handler.parent.mkdir(parents=True)
    for package in (handler.parent, handler.parent.parent):
        (package / "__init__.py").touch()
    monkeypatch.setattr(packer, "ROOT", tmp_path)
    handler.write_text("import openai\n")
    with pytest.raises(packer.BundleError, match="imports openai"):
        packer.modules("rotation")
    handler.write_text("from functions.gone import x\n")
    with pytest.raises(packer.BundleError, match="no such file"):
        packer.modules("rotation")
    handler.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import openai\ndef __getattr__(n): import pulumi\n"
    )
    assert len(packer.modules("rotation")) == 3, "what never runs is not needed"


def test_the_command_prints_path_and_hash(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "functions.packer", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for line, kind in zip(done.stdout.splitlines(), KINDS, strict=True):
        digest, path = line.split("  ")
        assert Path(path) == tmp_path / f"{kind}.zip"
        assert digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()
