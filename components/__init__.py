"""Pulumi components, one a file; the policy documents are in `iam/`.

The two that a stack consists of
    platform          what a cell's tenants share
    tenant_key        one tenant's key, without its value

Before a platform
    bootstrap         what a cell needs before its platform
    state_store       the bucket and the key of the cell's state
    people_access     the role of people who deploy, and the boundaries of all roles

Parts of both
    empty_secret      a secret without a value, with its resource policy
    encryption_key    a KMS key with its alias
    cell_boundary     the permissions boundary of a cell's roles
    closed_bucket     a bucket that the public cannot open

Parts of a tenant
    openai_project    project and service account at OpenAI
    dedicated_access  a KMS key and a role of the tenant's own

Parts of the platform
    key_function      a Lambda function that may read the admin key
    runtime_access    the role of the MyFlux runtime
    deployer          the role of a CI pipeline
    outbound_federation  the AWS account's tokens, in place of keys
    admin_rotation    the admin key's rotation
    sweep             the sweep's schedule
    health            the health function's schedule, alarms and dashboard
    handover          the role of people who paste keys, and what tells its use
    connect           where customers hand in keys: bucket, KMS keys, public URL
    health_store      the bucket of declarations and of what the function remembers
    health_alarms     one alarm for each kind of trouble
    health_dashboard  the dashboard
    scheduled_call    a function that EventBridge calls on a schedule
    alarms            the topic, the dead-letter queue and the alarms for both
    cell_alarms       alarms on metrics of a whole cell
    sweep_alarms      one alarm for each metric of the sweep
    occurrence_alarm  an alarm at the first occurrence

Resource classes are imported by name: `pulumi_aws` loads its modules lazily, and an error while loading would show as a
missing attribute in the middle of a program.
"""
