"""The `myflux-keys` command: arguments in, results out. Decides nothing."""
