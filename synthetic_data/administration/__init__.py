"""Which account, tenancy, claim, registration and service each household has, as the systems believe it."""
