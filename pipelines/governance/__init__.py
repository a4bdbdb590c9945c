"""Who may do what, for which purpose, and what was done: purposes, four eyes, opt-outs, the audit chain, escrow."""
