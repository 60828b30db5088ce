"""`python -m ops.cli`, the same as `./myflux-keys`."""

from ops.cli.main import main

main()
