"""The public key of somebody who alone is to open a file, in the age format (age-encryption.org)."""

import pyrage

from pipelines.faults import BoroughlinkError


def age_key(text: str, option: str = "--to") -> pyrage.x25519.Recipient:
    """Raises BoroughlinkError, which never repeats what was given: it may be the private one."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise BoroughlinkError(
            f"{option}: that is no age key. Whoever is to open it makes one with `age-keygen` or `boroughlink keys "
            "custodian`, and gives you the line that begins age1."
        ) from None
