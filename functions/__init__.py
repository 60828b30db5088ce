"""Lambda code. Standard library and boto3 only: these functions hold the admin key."""
