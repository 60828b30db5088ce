"""One operation over many stacks, by Pulumi's engine. The only user of the Automation API.

Choose   choice, changed (by git), git, sources (files and fingerprints), order
Run      stages (canaries), run, pool (Dask workers), job, work (one stack), record (continue a stopped run)
Engine   engine, backend (state), lock_holder and pending (after a lost worker), interrupting (Ctrl-C)
Secrets  check_secrets, secret_state (before an `up`), adoption, ending
"""
