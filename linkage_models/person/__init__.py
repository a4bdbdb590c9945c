"""The person model: what is compared, which pairs are looked at, which pairs are certain without a model."""
