"""A cell's platform and a tenant whose keys are minted for it, from Python.

    pulumi install && pulumi stack init dev && pulumi up
    myflux-keys admin-key set --cell local      # asks for the key, hidden: no program ever holds it
    pulumi config set adminKeyStored true && pulumi up

In a project of your own, `pulumi package add PATH/TO/component_package` writes what `packages` and requirements.txt
say here.
"""

import pulumi
import pulumi_myflux as myflux

# What a file in cells/ says; this is the local cell.
cell = myflux.CellArgs(
    cell="local",
    account_id="000000000000",
    region="us-east-1",
    production=False,
    local=True,
    runtime_principals=["arn:aws:iam::000000000000:user/runtime"],
    deployer_principals=["arn:aws:iam::000000000000:user/deployer"],
    alarm_emails=["oncall@myflux.example"],
    recovery_window_days=7,
    log_retention_days=14,
    openai=myflux.OpenAIArgs(organization_id="org-local"),
)

platform = myflux.Platform("local", cell=cell)
pulumi.export("adminSecretArn", platform.admin_secret_arn)

if pulumi.Config().get_bool("adminKeyStored"):
    acme = myflux.TenantKey(
        "acme",
        cell=cell,
        kms_key_arn=platform.kms_key_arn,
        rotation_function_arn=platform.rotation_function_arn,
        provisioner_function=platform.provisioner_function,
        tenant="acme",
        name="Acme Travel",
        country="CR",
        source="managed",
        models=["gpt-5.4-mini"],
        rate_limits={"gpt-5.4-mini": myflux.RateLimitArgs(requests_per_minute=500, tokens_per_minute=200000)},
        budget=myflux.BudgetArgs(monthly_usd=200, alert_percent=[50, 80, 100], emails=["ops@acme.example"]),
        rotation=myflux.RotationArgs(every_days=30, overlap_hours=24),
    )
    pulumi.export("secretArn", acme.secret_arn)
    pulumi.export("projectId", acme.project_id)
