"""The local cell: AWS, OpenAI and the AWS provider on loopback, as strict as what they stand for."""
