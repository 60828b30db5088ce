"""Names of the roles that read tenants' keys, for AWS's side (`aws_names`) and the sweep."""


def runtime_role(cell: str) -> str:
    return f"myflux-{cell}-runtime"


def runtime_role_arn(cell: str, of_account: str) -> str:
    """`of_account` is any ARN of the cell's account."""
    _, partition, _, _, account, *_ = of_account.split(":")
    return f"arn:{partition}:iam::{account}:role/{runtime_role(cell)}"


def dedicated_role(cell: str, tenant: str) -> str:
    """Of a tenant with `isolation: dedicated`."""
    return f"myflux-{cell}_{tenant}"


def handover_role(cell: str) -> str:
    """With which a person reads a key, to paste it into a consumer's dashboard; where the cell's file has one."""
    return f"myflux-{cell}-handover"
