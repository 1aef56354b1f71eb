"""Linux as the oracle: the same programs on Faultline and on Debian's kernel, fact by fact."""
