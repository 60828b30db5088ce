"""Every policy document of ours, as pure functions that return dicts.

identity              trust policies and the runtime's permissions
boundary              the permissions boundary of every role that reads keys
people                the role of people who deploy, and its boundary
state_store           policies of the state's bucket and key
bootstrap_permissions  what a person needs to bootstrap a cell, and to delete it
functions             what each function's role may do
resource              policies of secrets, KMS keys and the alarms' topic
copies                replicas of secrets in other Regions
health                declarations, and what the health function remembers
handover              the role of people who paste keys into a consumer's dashboard
denied_sessions       tenants whose sessions are denied everything, by command
federation            tokens in place of keys
connect               the intake, its keys, page and promoter
deployer_permissions  what a pipeline's role may do
deployer_state        the state of the stacks that a pipeline deploys
deployer_connect      what a pipeline reads back of connect
deployer_calls        the calls that each resource type needs
deployer_buckets      those of the health bucket's types
grants                a row of these tables
deployer_trust        who may assume a pipeline's role
statements            statements and ARNs that several documents share
"""
