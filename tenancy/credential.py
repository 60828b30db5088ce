"""With what a tenant's runtime calls OpenAI, and what a tenant without a key cannot have.

Owns the rules between the fields of one file. Leaves out the cell's part (`federation`, `clashes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

from myflux_keys.consumers import CONSUMERS
from tenancy.problems import Refusal

Credential = Literal["key", "federated"]
_A_KEY: Final = (
    "delete `credential` and `switching_from`; if it is deployed so, `myflux-keys credential TENANT --key` does that"
)


def credential_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    credential, before = data.get("credential", "key"), data.get("switching_from")
    if before is not None and before == credential:
        reason = "A switch leads from one credential to the other, but `credential` says the same."
        yield Refusal("switch-to-itself", reason, "delete switching_from.", ("switching_from",))
    if "federated" not in (credential, before):
        return
    # On the way back to a key the rule at OpenAI lives until the switch is complete.
    field, way_out = ("credential",), f", or {_A_KEY}"
    if credential != "federated":
        field, way_out = ("switching_from",), " until `myflux-keys credential` has completed the switch"
    if data.get("source") == "customer":
        reason = (
            "A tenant without a key needs a project in the cell's OpenAI organization, which only source: managed has."
        )
        managed = f"write source: managed, without organization_id{way_out}."
        yield Refusal("federated-customer", reason, managed, field)
    if data.get("isolation") == "dedicated":
        reason = (
            "isolation: dedicated is a KMS key and a role for the tenant's secret, and a tenant without a key has no "
            "secret. The session tag keeps its tokens apart from other tenants'."
        )
        yield Refusal("federated-dedicated", reason, f"write isolation: shared{way_out}.", ("isolation",))
    if credential == "federated":
        yield from _consumer_refusals(data.get("consumers"))


def _consumer_refusals(consumers: Any) -> Iterator[Refusal]:
    used = cast("Mapping[str, Any]", consumers) if isinstance(consumers, Mapping) else dict[str, Any]()
    for one in CONSUMERS:
        if one.pasted and used.get(one.name) is True:
            reason = f"For {one.name} a person pastes the key into a dashboard, and a federated tenant has no key."
            at = ("consumers", one.name)
            yield Refusal("federated-consumer", reason, f"set {one.name}: false, or {_A_KEY}.", at)
