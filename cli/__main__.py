"""`python -m cli`, the same as `./myflux-keys`."""

from cli.main import main

main()
