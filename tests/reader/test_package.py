"""The package as installed: what an import costs and loads, and what its console script does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import myflux_keys

ROOT = Path(myflux_keys.__file__).resolve().parent.parent


def run(code: str, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=180, check=False)


def test_importing_the_package_loads_nothing_but_itself() -> None:
    done = run(
        "import sys, myflux_keys; print(sorted(n for n in sys.modules if n.startswith(('myflux', 'boto', 'openai'))))"
    )
    assert done.stdout.strip() == "['myflux_keys']", done.stderr


def test_the_reader_is_imported_without_boto3_and_without_openai() -> None:
    done = run("import sys; from myflux_keys import KeyReader, Key; print({'boto3', 'openai'} & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr


def test_a_reader_makes_no_openai_import_until_a_client_is_asked_for() -> None:
    done = run(
        "import sys; from myflux_keys import KeyReader; KeyReader('cell', region='eu-central-1');"
        " print('boto3' in sys.modules, 'openai' in sys.modules, 'asyncio' in sys.modules)"
    )
    assert done.stdout.split()[:2] == ["True", "False"], done.stderr


def test_what_a_tenant_without_a_key_needs_is_loaded_for_the_first_of_them() -> None:
    done = run(
        "import sys; from myflux_keys import KeyReader; KeyReader('cell', region='eu-central-1');"
        " print(sorted({'httpx2', 'myflux_keys.token_exchange', 'myflux_keys.networks'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_functions_part_stands_alone(tmp_path: Path) -> None:
    package = tmp_path / "myflux_keys"
    package.mkdir()
    for name in ("__init__", "names", "payload", "redaction"):
        shutil.copy(ROOT / "myflux_keys" / f"{name}.py", package)
    done = run(
        "import myflux_keys.names, myflux_keys.payload, myflux_keys.redaction; from myflux_keys import SecretText",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_name_is_there_and_nothing_else_is_promised() -> None:
    for name in myflux_keys.__all__:
        assert getattr(myflux_keys, name).__name__ == name
    assert set(myflux_keys.__all__) <= set(dir(myflux_keys))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        myflux_keys.Nothing  # noqa: B018
    assert (ROOT / "myflux_keys" / "py.typed").is_file()


def test_the_console_script_of_a_wheel_says_where_the_commands_live(tmp_path: Path) -> None:
    package = tmp_path / "myflux_keys"
    package.mkdir()
    for name in ("__init__", "console"):
        shutil.copy(ROOT / "myflux_keys" / f"{name}.py", package)
    done = run("import sys; from myflux_keys.console import main; sys.exit(main())", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "checkout" in done.stderr


def test_the_console_script_of_a_checkout_runs_its_own_commands(tmp_path: Path) -> None:
    """Also where a stranger's package called `ops` is found first."""
    checkout, stranger = tmp_path / "checkout", tmp_path / "stranger"
    for folder, says in ((checkout / "ops" / "cli", "ours"), (stranger / "ops" / "cli", "theirs")):
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text(
            f"import sys\nprint({says!r}, sys.argv[1:])\nsys.exit(7)\n", encoding="utf-8"
        )
    shutil.copytree(ROOT / "myflux_keys", checkout / "myflux_keys", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        f"import sys; sys.path[:0] = [{str(stranger)!r}, {str(checkout)!r}]; sys.argv[1:] = ['status'];"
        " from myflux_keys.console import main; sys.exit(main())"
    )
    done = run(code, tmp_path)
    assert (done.returncode, done.stdout.strip()) == (7, "ours ['status']"), done.stderr


def test_the_console_script_finds_this_checkouts_commands(tmp_path: Path) -> None:
    code = "import sys; sys.argv[1:] = ['--help']; from myflux_keys.console import main; sys.exit(main())"
    done = run(f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "validate" in done.stdout
