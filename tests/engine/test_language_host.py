"""Programs under the real engine and this repository's language host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.tiny_project import Project

pytestmark = pytest.mark.engine

PROGRAM = """\
    import pulumi

    class Thing(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("tiny:index:Thing", name)
            self.register_outputs({})

    config = pulumi.Config()
    Thing("one")
    pulumi.export("greeting", f"hello {config.get('who')}")
    pulumi.export("token", config.get_secret("token"))
    """


def test_preview_changes_nothing_up_makes_it_and_a_second_up_finds_nothing_to_do(project: Project) -> None:
    project.write("__main__.py", PROGRAM)
    project.pulumi("config", "set", "who", "world")
    preview = project.pulumi("preview")
    assert "tiny:index:Thing one create" in preview
    assert project.resources() == [], "a preview must not write state"
    loud = project.up("--logtostderr", "--logflow", "-v=9")
    assert "+ 2 created" in loud, "the engine hands its own log flags to its plugins, before its address"
    assert {r["type"] for r in project.resources()} == {"pulumi:pulumi:Stack", "tiny:index:Thing"}
    assert "2 unchanged" in project.up("--expect-no-changes")
    assert json.loads(project.pulumi("stack", "output", "--json"))["greeting"] == "hello world"
    assert "2 deleted" in project.pulumi("destroy", "--yes", "--skip-preview")


def test_a_secret_of_the_configuration_stays_secret(project: Project) -> None:
    project.write("__main__.py", PROGRAM)
    project.pulumi("config", "set", "--secret", "token", "canary-value")
    said = project.pulumi("preview") + project.up()
    assert "[secret]" in said, "the program must be told that this value is secret"
    assert "canary-value" not in said
    state = "".join(path.read_text(encoding="utf-8") for path in project.state.rglob("*.json"))
    assert "canary-value" not in state
    assert "canary-value" in project.pulumi("stack", "output", "token", "--show-secrets"), "it must arrive, too"


def test_what_a_program_prints_reaches_the_reader(project: Project) -> None:
    project.write("__main__.py", "import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\n")
    said = project.up()
    assert "to stdout" in said
    assert "to stderr" in said


def test_an_exception_is_told_once_and_begins_at_the_programs_own_line(project: Project) -> None:
    project.write("helper.py", "def boom():\n    raise ValueError('the helper says no')\n")
    project.write("__main__.py", "import helper\n\nhelper.boom()\n")
    said = project.up(fails=True)
    diagnostics = said[said.index("Diagnostics:") :]
    assert diagnostics.count("Traceback") == 1, diagnostics
    assert diagnostics.count("the helper says no") == 2, "the line that raises and the exception itself, no more"
    assert "run_program.py" not in said, "what runs a program is not where it fails"
    assert "site-packages/pulumi" not in said


def test_an_exception_inside_apply_is_told_the_same_way(project: Project) -> None:
    project.write(
        "__main__.py",
        """\
        import pulumi

        def boom(value):
            raise ValueError("apply says no")

        pulumi.export("x", pulumi.Output.from_input(1).apply(boom))
        """,
    )
    said = project.pulumi("preview", fails=True)
    assert "ValueError: apply says no" in said
    assert '__main__.py", line 4, in boom' in said, "the reader needs to know which apply"
    assert "site-packages/pulumi" not in said


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import pulumi\nraise pulumi.RunError('a clean refusal')\n", "error: a clean refusal"),
        ("raise SystemExit('goodbye')\n", "error: goodbye"),
        ("raise SystemExit(3)\n", "error: the program exited with 3"),
        ("def (\n", "SyntaxError"),
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
    ],
)
def test_a_program_that_gives_up_is_told_in_its_own_words(project: Project, program: str, told: str) -> None:
    project.write("__main__.py", program)
    said = project.pulumi("preview", fails=True)
    assert told in said
    assert "run_program.py" not in said


def test_a_program_that_exits_with_zero_has_succeeded(project: Project) -> None:
    project.write("__main__.py", "import pulumi\npulumi.export('a', 1)\nraise SystemExit(0)\n")
    assert "created" in project.up()


def test_an_engine_error_is_not_buried_under_the_programs_end(project: Project) -> None:
    project.write("__main__.py", "import pulumi\npulumi.StackReference('organization/other/nowhere')\n")
    said = project.pulumi("preview", fails=True)
    assert "unknown stack" in said
    assert "Traceback" not in said


def test_a_program_finds_its_own_folder_and_not_the_hosts(project: Project) -> None:
    project.write(
        "__main__.py",
        """\
        import importlib.util, os, pulumi, sys
        pulumi.export("cwd", os.getcwd())
        pulumi.export("host", [n for n in ("host", "packages", "processes") if importlib.util.find_spec(n)])
        pulumi.export("config_in_environment", "PULUMI_CONFIG" in os.environ)
        pulumi.export("stdin", sys.stdin.read())
        pulumi.export("stack", f"{pulumi.get_project()}/{pulumi.get_stack()}")
        """,
    )
    project.up()
    outputs = json.loads(project.pulumi("stack", "output", "--json"))
    assert outputs["cwd"] == str(project.folder)
    assert outputs["host"] == [], "a program must not be able to import the language host by accident"
    assert outputs["config_in_environment"] is False, "configuration may hold secrets, and children inherit variables"
    assert outputs["stdin"] == ""
    assert outputs["stack"] == "tiny/dev"


def test_a_virtual_environment_that_is_not_there_is_named(project: Project) -> None:
    project.write("Pulumi.yaml", "name: tiny\nruntime:\n  name: python\n  options:\n    virtualenv: nowhere\n")
    said = project.pulumi("preview", fails=True)
    assert f"{project.folder}/nowhere" in said
    assert "pulumi install" in said, "the reader needs the way out"


@pytest.mark.parametrize("option", ["toolchain: poetry", "typechecker: mypy"])
def test_an_option_that_would_be_ignored_is_refused(project: Project, option: str) -> None:
    project.write("Pulumi.yaml", f"name: tiny\nruntime:\n  name: python\n  options:\n    {option}\n")
    said = project.pulumi("preview", fails=True)
    assert option.split(":", maxsplit=1)[0] in said
    assert "official language host" in said


def test_the_packages_of_the_environment_are_known_to_the_engine(project: Project) -> None:
    about = project.pulumi("about", "--json")
    told = json.loads(about[about.index("{") :])
    plugins = {plugin["name"]: plugin["version"] for plugin in told["plugins"]}
    assert plugins["aws"] == "7.51.1", "the engine pins the provider by what the environment holds"
    assert "policy" not in plugins, "pulumi-policy has no plugin"


def test_the_host_ends_when_its_engine_is_killed(engine_path: str) -> None:
    host = Path(engine_path.split(os.pathsep)[0]) / "pulumi-language-python"
    script = "import subprocess, sys; subprocess.Popen([sys.argv[1]]); sys.stdin.read()"
    engine = subprocess.Popen([sys.executable, "-c", script, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert engine.stdout is not None
    with engine, engine.stdout as output:
        assert output.readline().strip().isdigit(), "the first line is the port"
        engine.kill()
        start = time.monotonic()
        assert output.read() == b"", "the pipe closes when the host, its last holder, is gone"
        assert time.monotonic() - start < 60, "within seconds; a host that does not look would stay for ever"
