"""The resource types, one service or part of it a file. Each file ends in `RESOURCES`, what the registry reads.

cloudwatch         CloudWatch alarms on one metric. PutMetricAlarm replaces an alarm as a whole
events             EventBridge rules and their targets, on the default bus or a named one
iam_policies       IAM policies: managed, inline in a role, and the attachment of a managed one to a role
iam_role           IAM roles. IAM is one for all Regions, so nothing here carries a Region
kms                KMS keys and aliases
lambda_function    Lambda functions from a .zip file, whose bytes are uploaded as they are
lambda_invocation  A Lambda function called as part of a deployment
lambda_settings    What is set on a Lambda function from outside
lambda_state       What AWS says of a Lambda function: its state, and when a change of it has come through
logs               CloudWatch Logs groups, under the type name that the official plugin gives them
secret             Secrets Manager secrets and their resource policies. Never a secret's value
secret_rotation    Rotation of a Secrets Manager secret
sns                SNS topics, their policies and subscriptions
sqs                SQS queues and their policies. A queue's id is its URL
tags               Tags between a map, as programs give them, and the lists that AWS's services take
"""
