"""What others do while the page is played: they answer, merge and deploy; and what must then be so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import yaml

from tests.program.rig import wait_until
from tests.rehearsal.people import BlockFailed
from tests.rehearsal.place import CELL, CELL_FILE, ROOT, TENANT, Place, git

JOB: str = f"repo:myflux@1234567/keys@89012345:environment:{CELL}"
"""The subject of the tokens of the repository that the page's cell file names."""


def passphrase(place: Place) -> str:
    del place
    return "a long passphrase\n"


def admin_key(place: Place) -> str:
    return place.cell.openai.create_admin_key("an owner's", expires_in_seconds=90 * 86_400) + "\n"


def bootstrapped(place: Place, told: str) -> str:
    del told
    fields = yaml.safe_load((place.people["administrator"].checkout / CELL_FILE).read_text("utf-8"))
    bucket = fields["state"]["bucket"]
    versioning = place.client("s3").get_bucket_versioning(Bucket=bucket)
    assert versioning["Status"] == "Enabled", versioning
    return f"{bucket} keeps old versions; its own state lies there"


def cell_merged(place: Place) -> str:
    place.merge(CELL)
    return f"the pull request {CELL} is merged"


def tenant_deployed(place: Place) -> str:
    place.merge(TENANT)
    merged = git(place.remote, "rev-parse", "main")
    refused = {who: _job(place, merged, subject) for who, subject in OTHERS.items()}
    assert not any(done.returncode == 0 for done in refused.values()), refused
    done = _job(place, merged, JOB)
    if done.returncode:
        raise BlockFailed(f"the pipeline: it ended with {done.returncode}\n{done.stdout}{done.stderr}")
    secret = f"myflux/{CELL}/{TENANT}/openai"
    described: Callable[[], Mapping[str, object]] = lambda: place.client("secretsmanager").describe_secret(  # noqa: E731
        SecretId=secret
    )
    wait_until(lambda: "LastRotatedDate" in described(), f"the first key of {TENANT}")
    return f"the pipeline's role deployed {TENANT}; {', '.join(OTHERS)}: refused"


STATE = f".pulumi/stacks/myflux-keys/{TENANT}.{CELL}.json"
OTHERS = {
    "a fork": f"repo:stranger@7654321/keys@55555555:environment:{CELL}",
    "another branch": "repo:myflux@1234567/keys@89012345:ref:refs/heads/topic",
    "another repository": f"repo:myflux@1234567/site@89012346:environment:{CELL}",
}


def _job(place: Place, commit: str, subject: str) -> subprocess.CompletedProcess[str]:
    """`ops.ci.deploy` as a job of GitHub runs it: a checkout, an identity, and not one credential."""
    runner = place.folder / "runner" / str(time.monotonic_ns())
    git(place.folder, "clone", "--quiet", str(place.remote), str(runner))
    (runner / ".venv").symlink_to(ROOT / ".venv")
    environment = {
        name: text for name, text in place.environment(runner.parent).items() if not name.startswith("AWS_SHARED")
    }
    since = git(runner, "rev-parse", f"{commit}^1")
    return subprocess.run(
        [sys.executable, "-m", "ops.ci.deploy", "--cell", CELL, "--since", since],
        cwd=runner,
        env=environment | place.github.job(subject),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def answered(place: Place, told: str) -> str:
    del place
    assert told.strip(), "the model answered nothing"
    return f"the model answered: {told.strip()[:60]}"


def subscribed(place: Place, told: str) -> str:
    """Whether AWS waits for the address's confirmation is not seen: the local cell confirms by itself."""
    del place
    assert "oncall@example.com" in told, told
    return "the address is subscribed"


def unchanged(place: Place, told: str) -> str:
    del place
    (counts,) = re.findall(r"(\d+) (?:changed|would change), (\d+) unchanged", told)[-1:] or [("", "")]
    assert counts[0] == "0", told
    assert int(counts[1]) > 0, told
    return "a second up changed nothing"


def state_damaged(place: Place) -> str:
    s3, bucket = place.client("s3"), _bucket(place)
    s3.put_object(Bucket=bucket, Key=STATE, Body=b"{")
    return "the tenant's state is cut after its first character"


def state_restored(place: Place, told: str) -> str:
    unchanged(place, told)
    return "the state is whole, and nothing differs"


def state_lost(place: Place) -> str:
    s3, bucket = place.client("s3"), _bucket(place)
    versions = s3.list_object_versions(Bucket=bucket, Prefix=STATE)
    for one in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    return f"no version of {STATE.rpartition('/')[2]} is left"


def adopted(place: Place, told: str) -> str:
    del told
    text = place.client("s3").get_object(Bucket=_bucket(place), Key=STATE)["Body"].read()
    assert json.loads(text)["checkpoint"]["latest"]["resources"], "the state holds nothing"
    return "its state was made anew"


def offboarding_merged(place: Place) -> str:
    living = place.cell.openai.live_keys()
    left = [key.name for key in living if key.name.startswith(f"myflux-{CELL}-{TENANT}-")]
    assert not left, f"keys of {TENANT} live: {left}"
    place.merge(f"offboard-{TENANT}")
    return f"no key of {TENANT} is valid; the pull request is merged"


def nothing_left(place: Place, told: str) -> str:
    """What AWS and OpenAI themselves still have by the cell's name."""
    del told
    clients = {name: place.client(name) for name in ("iam", "kms", "lambda", "s3", "secretsmanager")}
    named = f"myflux-{CELL}"
    living = [
        one["KeyId"]
        for one in clients["kms"].list_keys()["Keys"]
        if clients["kms"].describe_key(KeyId=one["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
    ]
    left = {
        "functions": [one["FunctionName"] for one in clients["lambda"].list_functions()["Functions"]],
        "secrets": [one["Name"] for one in clients["secretsmanager"].list_secrets()["SecretList"]],
        "buckets": [one["Name"] for one in clients["s3"].list_buckets()["Buckets"]],
        "keys of KMS": living,
        "roles": [one["RoleName"] for one in clients["iam"].list_roles()["Roles"] if one["RoleName"].startswith(named)],
        "projects": [
            one.name for one in place.cell.openai.projects() if one.name.startswith(named) and not one.archived
        ],
    }
    assert not any(left.values()), left
    return "no function, secret, bucket, role or project is left; every KMS key ends"


def _bucket(place: Place) -> str:
    return f"myflux-state-{CELL}-{place.cell.account_id}"
