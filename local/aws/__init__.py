"""The AWS side of the local cell: MiniStack, corrected where it differs from AWS.

federation/      Outbound web identity federation: an account's own issuer, and the tokens that STS signs for its roles
iam/             AWS's rules of identity and access that MiniStack leaves out or gets wrong
secrets/         AWS's rules of Secrets Manager that MiniStack leaves out
trail/           CloudTrail in the local cell: the event history, and looking events up
answer_date      The Date header of each answer, by the cell's clock
keeping          What the AWS side keeps across a stop: every store of MiniStack's services
lambda_packages  What a Python function can import: the standard library, boto3 and its own archive, as on Lambda
object_times     The times of S3's objects, by the cell's clock
server           Serves the AWS side of the local cell
state_key        The KMS key that encrypts secrets in the state of the cell's stacks
"""
