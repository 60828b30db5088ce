"""A small, strict reading of IAM documents. It errs on one side: what it cannot rule out, it takes as granted."""
