# The peer's program: what Terraform's users write for each tenant. The value is theirs to give, so it stands in the
# state; there is no role for each tenant, as there is none on our side.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

variable "tenants" { type = number }
variable "endpoint" { type = string }
variable "region" { type = string }
variable "cell" { type = string }
variable "rotation_function" { type = string }
variable "principals" { type = list(string) }

provider "aws" {
  region                      = var.region
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    secretsmanager = var.endpoint
    sts            = var.endpoint
  }
}

locals {
  slugs = toset([for number in range(var.tenants) : format("peer-%04d", number)])
}

resource "aws_secretsmanager_secret" "key" {
  for_each                = local.slugs
  name                    = "myflux/${var.cell}/${each.key}/openai"
  recovery_window_in_days = 7
  tags                    = { tenant = each.key, cell = var.cell, managed-by = "terraform" }
}

resource "aws_secretsmanager_secret_policy" "key" {
  for_each            = local.slugs
  secret_arn          = aws_secretsmanager_secret.key[each.key].arn
  block_public_policy = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTheseRead"
      Effect    = "Deny"
      Principal = "*"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:PrincipalArn" = var.principals } }
    }]
  })
}

resource "aws_secretsmanager_secret_version" "key" {
  for_each      = local.slugs
  secret_id     = aws_secretsmanager_secret.key[each.key].id
  secret_string = jsonencode({ api_key = "a dummy, in the place where users write the key" })
}

resource "aws_secretsmanager_secret_rotation" "key" {
  for_each            = local.slugs
  secret_id           = aws_secretsmanager_secret_version.key[each.key].secret_id
  rotation_lambda_arn = var.rotation_function
  rotate_immediately  = false
  rotation_rules {
    automatically_after_days = 30
  }
}
