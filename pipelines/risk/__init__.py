"""Risk stratification: attributes without identity, a points scorecard that anyone can read, tiers and reasons."""
