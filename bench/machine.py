"""Describes where the figures were measured: machine, Python, packages, engine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tools import engine

PACKAGES: Final = (
    "pulumi",
    "pulumi-aws",
    "boto3",
    "botocore",
    "openai",
    "pydantic",
    "ministack",
    "aws-secretsmanager-caching",
    "aws-lambda-powertools",
    "distributed",
)


def describe() -> dict[str, Any]:
    """`cpu`, `cores` usable, `memory_gib`, `kernel`, `python`, `engine`, `packages` by name, `load` at the start."""
    found = engine.locate(os.environ)
    return {
        "cpu": cpu(_read("/proc/cpuinfo")) or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "engine": f"pulumi {found.version}" if found else "none",
        "packages": {name: _version(name) for name in PACKAGES},
        "load": round(os.getloadavg()[0], 1),
    }


def cpu(cpuinfo: str) -> str | None:
    """The model's name from the text of Linux's /proc/cpuinfo; None if it has no name."""
    for line in cpuinfo.splitlines():
        field, _, value = line.partition(":")
        if field.strip() == "model name":
            return value.strip()
    return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
