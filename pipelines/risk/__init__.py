"""Risk stratification: attributes without identity, a points scorecard that anyone can read, tiers and reasons.

No name, birth date, address or number gets here, and a score is never a decision.
"""
