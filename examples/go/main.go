// A cell's platform and a tenant whose keys are minted for it, from Go.
//
//	pulumi install && pulumi stack init dev && pulumi up
//	myflux-keys admin-key set --cell local      # asks for the key, hidden: no program ever holds it
//	pulumi config set adminKeyStored true && pulumi up
//
// In a project of your own, `pulumi package add PATH/TO/component_package` writes what `packages` and go.mod say here.
package main

import (
	"example.com/pulumi-myflux/sdk/go/myflux"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// What a file in cells/ says; this is the local cell.
		cell := myflux.CellArgs{
			Cell:               "local",
			AccountId:          "000000000000",
			Region:             "us-east-1",
			Production:         false,
			Local:              pulumi.BoolRef(true),
			RuntimePrincipals:  []string{"arn:aws:iam::000000000000:user/runtime"},
			DeployerPrincipals: []string{"arn:aws:iam::000000000000:user/deployer"},
			AlarmEmails:        []string{"oncall@myflux.example"},
			RecoveryWindowDays: pulumi.IntRef(7),
			LogRetentionDays:   pulumi.IntRef(14),
			Openai:             myflux.OpenAIArgs{OrganizationId: "org-local"},
		}
		platform, err := myflux.NewPlatform(ctx, "local", &myflux.PlatformArgs{Cell: cell})
		if err != nil {
			return err
		}
		ctx.Export("adminSecretArn", platform.AdminSecretArn)
		if !config.GetBool(ctx, "adminKeyStored") {
			return nil
		}
		acme, err := myflux.NewTenantKey(ctx, "acme", &myflux.TenantKeyArgs{
			Cell:                cell,
			KmsKeyArn:           platform.KmsKeyArn,
			RotationFunctionArn: platform.RotationFunctionArn,
			ProvisionerFunction: platform.ProvisionerFunction,
			Tenant:              "acme",
			Name:                "Acme Travel",
			Country:             "CR",
			Source:              "managed",
			Models:              []string{"gpt-5.4-mini"},
			RateLimits: map[string]myflux.RateLimitArgs{
				"gpt-5.4-mini": {RequestsPerMinute: 500, TokensPerMinute: 200000},
			},
			Budget: &myflux.BudgetArgs{
				MonthlyUsd:   200,
				AlertPercent: []int{50, 80, 100},
				Emails:       []string{"ops@acme.example"},
			},
			Rotation: &myflux.RotationArgs{EveryDays: pulumi.IntRef(30), OverlapHours: 24},
		})
		if err != nil {
			return err
		}
		ctx.Export("secretArn", acme.SecretArn)
		ctx.Export("projectId", acme.ProjectId)
		return nil
	})
}
