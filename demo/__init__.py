"""The whole product at work on this machine, one named check after another."""
