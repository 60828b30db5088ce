"""The resource types, one service or part of a service per file. Each file ends in `RESOURCES`, for the registry.

cloudwatch         CloudWatch alarms on one metric. PutMetricAlarm replaces the whole alarm
cloudwatch_dashboard  CloudWatch dashboards. PutDashboard replaces the whole body. The id is the name
events             EventBridge rules and their targets, on the default bus or a named one
iam_oidc           OIDC providers of an account. The id is the ARN, which holds the issuer's address
iam_outbound       outbound web identity federation of an account. The id is the account's
iam_policies       IAM policies: managed, inline in a role, and the attachment of a managed one to a role
iam_role           IAM roles. IAM is global, so no role has a Region
kms                KMS keys and aliases
lambda_function    Lambda functions from a .zip file, whose bytes are uploaded unchanged
lambda_invocation  A Lambda function invoked as part of a deployment
lambda_settings    Who may invoke a Lambda function, and its settings for asynchronous invocations
lambda_url         The URL of a Lambda function. The id is the function
lambda_state       The state of a Lambda function in AWS, and whether its last change is complete
logs               CloudWatch Logs groups, with the official plugin's type name
s3_bucket          S3 buckets, without what other resources set on them (`s3_settings`)
s3_object          Objects in an S3 bucket whose text the program gives. The id is the object's key
s3_settings        What is set on an S3 bucket: versions, encryption, public access, policy, lifecycle
secret             Secrets Manager secrets and their resource policies. Never a secret's value
secret_rotation    Rotation of a Secrets Manager secret
sns                SNS topics, their policies and subscriptions
sqs                SQS queues and their policies. A queue's id is its URL
tags               Converts tags between a map, as programs give them, and the lists that AWS's services take
"""
