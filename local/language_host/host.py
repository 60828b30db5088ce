"""The LanguageRuntime service: the engine's requests and the modules that answer them.

Leaves out requests that a deployment never makes: the base class answers them with "unimplemented".
"""

# The SDK's stubs for its protobufs refer to modules that don't exist, so what comes out of them has no type; the
# methods' names and signatures are gRPC's.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# ruff: noqa: N802, ARG002

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from local.language_host import plugins, sdk
from local.language_host.environments import UnusableEnvironment, ambient_python, resolve
from local.language_host.packages import Requirement, required
from local.language_host.processes import Processes
from local.language_host.run_program import TOLD
from tools.engine_step import StepError

_GENERATED: Final = """\
# This language host writes no Python. What was imported, in Pulumi's own notation: a block becomes a call, a camelCase
# name a snake_case argument, and options a pulumi.ResourceOptions."""
_RUNNER: Final = Path(__file__).with_name("run_program.py")


def _explained(method: Callable[..., Any]) -> Callable[..., Any]:
    """Reports an unusable environment with its own message, not with a stack trace of this host."""

    @functools.wraps(method)
    def call(self: LanguageHost, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except UnusableEnvironment as error:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return call


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """`engine` is the engine's address, or empty until its handshake."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._processes = Processes()

    def end_all(self) -> None:
        self._processes.end_all()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    @_explained
    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        environment = resolve(request.info)
        version = environment.ask("-c", "import platform; print(platform.python_version())").strip()
        return language_pb2.AboutResponse(
            executable=str(environment.python),
            version=version,
            metadata={"toolchain": "pip", "languageHost": "myflux-keys"},
        )

    @_explained
    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        found = required(resolve(request.info).packages())
        return language_pb2.GetRequiredPackagesResponse(packages=[_dependency(requirement) for requirement in found])

    @_explained
    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        packages = resolve(request.info).packages()
        if not request.transitiveDependencies:
            needed = {name for package in packages for name in package["requires"]}
            packages = [package for package in packages if package["name"] not in needed]
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=p["name"], version=p["version"]) for p in packages]
        )

    @_explained
    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        environment = resolve(request.info)
        orders = {
            "program": request.info.entry_point,
            "arguments": list(request.args),
            "config": dict(request.config),
            "secret_keys": list(request.configSecretKeys),
            "settings": {
                "project": request.project,
                "stack": request.stack,
                "monitor": request.monitor_address,
                "engine": self._engine,
                "parallel": request.parallel,
                "dry_run": request.dryRun,
                "organization": request.organization or "organization",
                "root_directory": request.info.root_directory,
            },
        }
        command = [str(environment.python), str(_RUNNER)]
        code = self._processes.run(command, request.pwd, environment.variables(), json.dumps(orders).encode())
        if code == TOLD:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._processes.end_all()
        return empty_pb2.Empty()

    @_explained
    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        environment = resolve(request.info)
        variables = environment.variables() | dict(entry.split("=", 1) for entry in request.env)
        run = plugins.policy_pack if request.kind == "analyzer" else plugins.plugin
        output: Iterator[tuple[str, Any]] = run(self._processes, environment.python, variables, request, context)
        return (language_pb2.RunPluginResponse(**{name: value}) for name, value in output)

    def GenerateProgram(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Called after `pulumi import`. The engine prints the answer, which the user copies into the program."""
        described = "\n".join(request.source.values())
        lines = [_GENERATED, *(f"# {line}".rstrip() for line in described.splitlines())]
        return language_pb2.GenerateProgramResponse(source={"__main__.py": "\n".join(lines).encode() + b"\n"})

    @_explained
    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        environment = resolve(request.info, must_exist=False)
        commands: list[list[str]] = []
        if environment.virtualenv and not environment.python.exists():
            commands.append([str(ambient_python(os.environ)), "-m", "venv", str(environment.virtualenv)])
        folder = Path(request.info.program_directory)
        if (folder / "requirements.txt").exists():
            commands.append([str(environment.python), "-m", "pip", "install", "-r", "requirements.txt"])
        return self._install(commands, folder, environment.variables(), context)

    def GeneratePackage(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Called by `pulumi package add` and `pulumi install`, for a package that another program may import."""
        try:
            sdk.write(Path(request.directory), request.schema, request.loader_target, dict(request.extra_files))
        except StepError as error:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        return language_pb2.GeneratePackageResponse()

    def Link(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Makes the SDKs that were generated part of what the program's environment is installed from."""
        paths = [dependency.path for dependency in request.packages]
        sdk.link(Path(request.info.program_directory) / "requirements.txt", paths)
        names = [f"  import pulumi_{dependency.package.name.replace('-', '_')}" for dependency in request.packages]
        return language_pb2.LinkResponse(import_instructions="\n".join(["Import it with:", "", *names, ""]))

    def _install(
        self, commands: list[list[str]], folder: Path, variables: dict[str, str], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        for command in commands:
            process = self._processes.start(command, folder, variables)
            for name, chunk in self._processes.stream(process):
                yield language_pb2.InstallDependenciesResponse(**{name: chunk})
            if process.returncode:
                context.abort(grpc.StatusCode.ABORTED, f"`{' '.join(command)}` exited with {process.returncode}")


def _dependency(requirement: Requirement) -> Any:
    extra = requirement.parameterization
    return plugin_pb2.PackageDependency(
        name=requirement.name,
        version=requirement.version,
        kind="resource",
        server=requirement.server,
        parameterization=plugin_pb2.PackageParameterization(name=extra.name, version=extra.version, value=extra.value)
        if extra
        else None,
    )
