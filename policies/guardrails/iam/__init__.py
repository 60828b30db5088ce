"""A small, strict reader of IAM documents. If it cannot rule a permission out, it takes it as granted."""
