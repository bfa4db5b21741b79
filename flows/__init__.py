"""The corridor: thin Prefect flows, the intake, and the command line."""
