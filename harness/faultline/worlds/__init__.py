"""One program in three worlds: the simulated machine, the booted kernel, Linux. Their traces are compared."""
