"""What guards and builds this repository; nothing here is deployed.

actionlint      Runs actionlint over the workflows
engine          Pulumi's engine for this repository: found on PATH, or installed once into a cache outside it
engine_sources  Two ways to get a Pulumi engine that is not on the machine
engine_step     One long command, run with its progress shown, its time bounded and its last words kept
go_program      Go programs that running the examples takes, built once from pinned modules into the cache
key_guard       Refuses to let anything shaped like a key into the repository
"""
