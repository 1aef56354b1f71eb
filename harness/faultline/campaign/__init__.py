"""The night: fuzzing every target, sweeping faults, killing planted bugs, sorting and reporting what was found."""
