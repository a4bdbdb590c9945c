"""Starting the app: on loopback unless told otherwise, with local users over invented people only."""

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import NothingPublished
from review_app.app import create_app
from review_app.roles import User, titles


def local_users(names: Sequence[str], roles: Sequence[str]) -> list[User]:
    """Users of `--user NAME` with all of `--role`, or of `--user NAME=role,role`. Raises BoroughlinkError."""
    users = []
    for each in names:
        name, _, own = each.partition("=")
        chosen = [role.strip() for role in own.split(",") if role.strip()] or list(roles)
        if unknown := [role for role in chosen if role not in titles()]:
            raise BoroughlinkError(f"`{unknown[0]}` is no role; one of {', '.join(titles())} is expected.")
        if not name.strip() or not chosen:
            raise BoroughlinkError("A local user needs a name and at least one --role.")
        users.append(User(name.strip()[:120], frozenset(chosen)))
    return users


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    folder: DataFolder,
    host: str,
    port: int,
    users: Sequence[User],
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
) -> None:
    """Serve until stopped. Raises BoroughlinkError for local users off loopback or over real data.

    `behind_proxy`: a proxy on this machine speaks HTTPS to the readers and says for whom it asks.
    """
    settings = load_settings(folder)
    if users and (behind_proxy or not is_loopback(host)):
        raise BoroughlinkError(
            "A local user is for this machine only: leave --host and --behind-proxy out, or set up sign-in."
        )
    if users and settings.holds == "real":
        raise BoroughlinkError(
            "A local user may see invented people only: this folder holds real data. Set up sign-in."
        )
    app = create_app(folder, users, https=behind_proxy or certificate is not None)
    with suppress(NothingPublished):  # pages say so, and the first run can be started from them
        app.state.house.published.warm()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # an address may hold what somebody looked for
        server_header=False,
        proxy_headers=behind_proxy,
        forwarded_allow_ips="127.0.0.1",
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
