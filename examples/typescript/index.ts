// A cell's platform and a tenant whose keys are minted for it, from TypeScript.
//
//   pulumi install && pulumi stack init dev && pulumi up
//   myflux-keys admin-key set --cell local      # asks for the key, hidden: no program ever holds it
//   pulumi config set adminKeyStored true && pulumi up
//
// In a project of your own, `pulumi package add PATH/TO/component_package` writes what `packages` and package.json say here.
import * as pulumi from "@pulumi/pulumi";
import * as myflux from "@pulumi/myflux";

// What a file in cells/ says; this is the local cell.
const cell: myflux.types.input.CellArgs = {
    cell: "local",
    accountId: "000000000000",
    region: "us-east-1",
    production: false,
    local: true,
    runtimePrincipals: ["arn:aws:iam::000000000000:user/runtime"],
    deployerPrincipals: ["arn:aws:iam::000000000000:user/deployer"],
    alarmEmails: ["oncall@myflux.example"],
    recoveryWindowDays: 7,
    logRetentionDays: 14,
    openai: { organizationId: "org-local" },
};

const platform = new myflux.Platform("local", { cell });

export const adminSecretArn = platform.adminSecretArn;
export let secretArn: pulumi.Output<string> | undefined;
export let projectId: pulumi.Output<string | undefined> | undefined;

if (new pulumi.Config().getBoolean("adminKeyStored")) {
    const acme = new myflux.TenantKey("acme", {
        cell,
        kmsKeyArn: platform.kmsKeyArn,
        rotationFunctionArn: platform.rotationFunctionArn,
        provisionerFunction: platform.provisionerFunction,
        tenant: "acme",
        name: "Acme Travel",
        country: "CR",
        source: "managed",
        models: ["gpt-5.4-mini"],
        rateLimits: { "gpt-5.4-mini": { requestsPerMinute: 500, tokensPerMinute: 200000 } },
        budget: { monthlyUsd: 200, alertPercent: [50, 80, 100], emails: ["ops@acme.example"] },
        rotation: { everyDays: 30, overlapHours: 24 },
    });
    secretArn = acme.secretArn;
    projectId = acme.projectId;
}
