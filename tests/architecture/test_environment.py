"""What a command is told goes on as arguments: no part of the product writes the environment of its own process.

A value that stands in the environment reaches everything that the process does later, also what is not about it, and
outlives the folder that it names. Parsed, not run, so that no branch goes unseen.
"""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import program

REPOSITORY = Path(__file__).resolve().parents[2]

NEVER_WRITES = ("ops", "tenancy", "components", "component_package", "functions", "myflux_keys", "policies")
"""`demo` is not among them, whose process plays the person's shell, nor `local`, whose server is a process of its own
and sets what MiniStack reads."""

NEVER_READS = ("tenancy", "components")
"""With program.py: what a stack is made of is what `__main__.py` hands on."""

_WRITING = {"update", "setdefault", "pop", "popitem", "clear", "__setitem__", "__delitem__", "__ior__"}
_OF_OS = {"environ", "environb", "putenv", "unsetenv", "getenv"}


def is_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "environb"}


def writes(tree: ast.Module) -> Iterator[int]:
    """Lines that write the process's environment, or give it another name under which it could be written."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                if is_environment(value) or any(_holds(target) for target in targets):
                    yield node.lineno
            case ast.AnnAssign(target=target, value=value):
                if (value is not None and is_environment(value)) or _holds(target):
                    yield node.lineno
            case ast.AugAssign(target=target) if _holds(target):
                yield node.lineno
            case ast.Delete(targets=targets) if any(map(_holds, targets)):
                yield node.lineno
            case ast.NamedExpr(value=value) if is_environment(value):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=on, attr=name)):
                if (is_environment(on) and name in _WRITING) or name in {"putenv", "unsetenv"}:
                    yield node.lineno
            case ast.ImportFrom(module="os", names=names) if any(alias.name in _OF_OS for alias in names):
                yield node.lineno
            case _:
                pass


def _holds(target: ast.AST) -> bool:
    return any(is_environment(inner) for inner in ast.walk(target))


def reads(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="environ" | "environb" | "getenv"):
                yield node.lineno
            case ast.ImportFrom(module="os", names=names) if any(alias.name in _OF_OS for alias in names):
                yield node.lineno
            case _:
                pass


def parsed(*places: str) -> dict[Path, ast.Module]:
    files = [REPOSITORY / "program.py"]
    for place in places:
        found = sorted((REPOSITORY / place).rglob("*.py"))
        assert found, f"{place}/ holds no Python: nothing of it was checked"
        files += found
    return {file.relative_to(REPOSITORY): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ('os.environ["A"] = "b"', True),
        ('os.environ["A"] += "b"', True),
        ('os.environ |= {"A": "b"}', True),
        ('del os.environ["A"]', True),
        ('os.environ.update(A="b")', True),
        ('os.environ.setdefault("A", "b")', True),
        ('os.environ.pop("A")', True),
        ("os.environ.clear()", True),
        ('os.putenv("A", "b")', True),
        ("kept = os.environ", True),
        ("from os import environ", True),
        ('told = os.environ.get("A")', False),
        ('told = {**os.environ, "A": "b"}', False),
        ('told = dict(os.environ)\ntold["A"] = "b"', False),
        ("def root(environment: Mapping[str, str] = os.environ): ...", False),
    ],
)
def test_the_rule_itself_knows_writing_from_reading(line: str, refused: bool) -> None:
    assert bool(list(writes(ast.parse(line)))) == refused, line


def test_no_command_writes_its_own_environment() -> None:
    trees = parsed(*NEVER_WRITES)
    wrong = [f"{file}:{line} writes os.environ" for file, tree in trees.items() for line in writes(tree)]
    assert len(trees) > 100, "the product has more files than that: the search is broken"
    assert not wrong, "\n".join(wrong)


def test_the_program_reads_no_environment_but_in_its_main_file() -> None:
    main = ast.parse((REPOSITORY / "__main__.py").read_text(encoding="utf-8"))
    assert list(reads(main)), "nothing is read where it should be: the search is broken"
    wrong = [f"{file}:{line} reads os.environ" for file, tree in parsed(*NEVER_READS).items() for line in reads(tree)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("told", [True, False])
def test_the_main_file_hands_on_what_the_environment_says(
    told: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[tuple[Any, Any]] = []
    monkeypatch.setattr(program, "deploy", lambda *args, **more: given.append((args, more)))
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-AbCdEf"
    values = {"MYFLUX_FLEET": str(tmp_path), "MYFLUX_ADOPT": arn, "MYFLUX_LOCAL_OPENAI_URL": "http://127.0.0.1:9/v1"}
    for name, value in values.items():
        if told:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
    runpy.run_path(str(REPOSITORY / "__main__.py"))
    (told_of,) = given
    if told:
        assert told_of == ((tmp_path,), {"adopt": arn, "local_openai_url": "http://127.0.0.1:9/v1"})
    else:
        assert told_of == ((program.ROOT,), {"adopt": None, "local_openai_url": None})
