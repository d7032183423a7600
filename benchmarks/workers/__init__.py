"""The processes in which measurements happen; each is started with ``run_worker``."""
