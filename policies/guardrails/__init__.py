"""The pack's rules: pure functions over the resources of a stack.

Imports nothing else of this repository, which cannot be imported where a pack runs, and Pulumi only in `engine`, so
that a review can apply the same rules without the engine.

How rules work
    model                 `Resource`, `Rule`, `Finding`
    config                the pack's settings
    judge                 the list of rules, and applying them
    engine                the rules as Pulumi policies
    rules_page            docs/policies.md
    ownership             which resources are MyFlux Keys', by name and tag
    targets               which resource a property names
    own_functions         the table of functions
    provider              reads the AWS provider's properties
    readable              no resource that the rules cannot read
    iam/                  reading IAM documents

Secrets and keys
    plaintext             no key value in a property
    key_shapes            recognizes keys
    credentials           no AWS credential in the state
    secrets               the Secret's own properties
    secret_policies       resource policies of secrets
    rotation              SecretRotation
    schedule              reads its expression
    kms                   KMS keys, their policies and grants
    intake_keys           the two keys of connect
    via_service           a key's use through Secrets Manager
    tenant_file           the tenant's file, compared with its secret and project
    deletion              protection in production
    dedicated             a dedicated tenant's own KMS key and readers
    own_stack             one tenant a stack

What other resources do to ours
    outside               changes from outside
    outside_types         its table
    ignored               `ignoreChanges`

IAM
    identity              anybody's IAM policies that reach our secrets
    own_roles             what our roles may do
    own_grants            its table
    own_deployer          the conditions of a pipeline's role
    own_deployer_grants   its table
    trust                 who may assume our roles
    handover              the role of people who paste keys
    federation            tokens in place of keys
    account               one account, one Region

Functions and alarms
    functions             who calls them, and where failed events go
    function_code         what they run, on which runtime, and as whom
    function_environment  their environment variables
    logs                  their log groups, and what sends logs on
    calls                 permissions and events that must exist
    alarms                alarms, and schedules
    topic                 the alarms' topic and the dead-letter queue
    health_bucket         the bucket of declarations
    connect_bucket        the bucket of what customers hand in
    encrypted_calls       no plain HTTP to AWS, or for an alarm
"""
