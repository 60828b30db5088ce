"""Where the peer's parts are looked for. Running it is the bench's business."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from bench import terraform
from bench.terraform import PLUGINS, PROGRAM, PROVIDER, NotThere

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
TARGET = f"{platform.system().lower()}_{MACHINE}"


def provider(folder: Path, version: str = PROVIDER) -> Path:
    binary = folder / "registry.example" / "hashicorp" / "aws" / version / TARGET / "terraform-provider-aws_x"
    binary.parent.mkdir(parents=True)
    binary.write_text("", encoding="ascii")
    return folder


def command(folder: Path, body: str) -> Path:
    folder.mkdir(parents=True)
    script = folder / "terraform"
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    script.chmod(0o755)
    return folder


def test_without_terraform_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="no terraform on PATH"):
        terraform.find({"PATH": str(tmp_path), "HOME": str(tmp_path)})


def test_the_variable_comes_before_every_other_place(tmp_path: Path) -> None:
    bin_folder = command(tmp_path / "bin", """echo '{"terraform_version": "1.11.4"}'""")
    provider(tmp_path / ".terraform.d" / "plugins")
    mirror = provider(tmp_path / "mirror")
    found = terraform.find({"PATH": f"{bin_folder}:/bin", "HOME": str(tmp_path), PLUGINS: str(mirror)})
    assert found.plugins == mirror
    assert str(found) == f"Terraform 1.11.4, AWS provider {PROVIDER}"


def test_a_mirror_of_the_cli_configuration_is_found(tmp_path: Path) -> None:
    bin_folder = command(tmp_path / "bin", """echo '{"terraform_version": "1.11.4"}'""")
    mirror = provider(tmp_path / "mirror")
    configuration = tmp_path / "cli.tfrc"
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n', encoding="utf-8"
    )
    environment = {"PATH": f"{bin_folder}:/bin", "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(configuration)}
    assert terraform.find(environment).plugins == mirror


def test_a_configuration_file_that_is_not_there_is_no_reason_to_stop(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "absent")}
    assert tmp_path / ".terraform.d" / "plugins" in list(terraform.places(environment))


def test_another_version_of_the_provider_is_not_the_peer(tmp_path: Path) -> None:
    assert not terraform.holds_provider(provider(tmp_path / "old", "5.99.0"))
    assert terraform.holds_provider(provider(tmp_path / "right"))


def test_a_packed_mirror_counts(tmp_path: Path) -> None:
    packed = tmp_path / "registry.example" / "hashicorp" / "aws" / f"terraform-provider-aws_{PROVIDER}_{TARGET}.zip"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"")
    assert terraform.holds_provider(tmp_path)


def test_without_the_provider_the_way_out_is_told(tmp_path: Path) -> None:
    bin_folder = command(tmp_path / "bin", "exit 1")
    environment = {"PATH": f"{bin_folder}:/bin", "HOME": str(tmp_path), PLUGINS: str(tmp_path / "empty")}
    if any(terraform.holds_provider(place) for place in terraform.places(environment)):
        with pytest.raises(NotThere, match="`terraform version` failed"):
            terraform.find(environment)
        return
    with pytest.raises(NotThere, match=PLUGINS):
        terraform.find(environment)


def test_the_program_asks_for_the_version_that_is_looked_for() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    assert f'version = "{PROVIDER}"' in text, "peer.tf and the search must agree"
