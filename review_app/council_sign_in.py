"""Signing in with the council's own accounts: OpenID Connect, as Entra ID and others speak it."""

import warnings
from typing import Any

from pipelines.faults import BoroughlinkError
from pipelines.given_secrets import given_secret
from pipelines.governance.actors import actor
from pipelines.settings import Settings
from review_app.roles import User, titles

SECRET = "BOROUGHLINK_OIDC_SECRET"  # noqa: S105 - the name of a variable


def provider(settings: Settings) -> Any:
    """Authlib's client of the provider that the settings name. Raises BoroughlinkError for half a set-up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a module that the next authlib will call otherwise
        from authlib.integrations.starlette_client import OAuth

    secret = given_secret(SECRET)
    if not settings.oidc_client_id or not secret:
        raise BoroughlinkError(f"Sign-in needs `oidc_issuer`, `oidc_client_id` and {SECRET} or {SECRET}_FILE.")
    if settings.holds == "real" and not settings.oidc_domains:
        raise BoroughlinkError(
            "Sign-in over real data needs `oidc_domains`, such as [southend.gov.uk]: a guest, ann@elsewhere, would "
            "be ann."
        )
    oauth = OAuth()
    return oauth.register(
        "council",
        server_metadata_url=f"{(settings.oidc_issuer or '').rstrip('/')}/.well-known/openid-configuration",
        client_id=settings.oidc_client_id,
        client_secret=secret,
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )


def failures() -> tuple[type[Exception], ...]:
    """What a sign-in that does not come to a good end raises."""
    from authlib.integrations.starlette_client import OAuthError
    from httpx import HTTPError
    from joserfc.errors import JoseError

    return (OAuthError, JoseError, HTTPError, ValueError, KeyError)


def user_of(claims: dict[str, Any], settings: Settings) -> User | None:
    """Who the provider says is there, with the roles that the settings or the provider's own app roles give; None
    without any, and for an address of another domain: a guest's name before the @ is nobody's here."""
    email = claims.get("email") if claims.get("email_verified") is not False else None
    login = str(claims.get("preferred_username") or email or claims.get("sub") or "")
    _, at, domain = login.rpartition("@")
    ours = {one.casefold() for one in settings.oidc_domains or ()}
    if not login or (at and ours and domain.casefold() not in ours):
        return None
    known = actor(login, settings)
    given = claims.get("roles") or []
    roles = known.roles | {str(role) for role in given if isinstance(given, list)}
    held = frozenset(roles & titles().keys())
    return User(known.login, held) if held else None
