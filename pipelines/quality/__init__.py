"""The gate: each source's contract as rules for the six principles, judged before an extract may go on."""
