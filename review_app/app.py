"""The app: rooms put together behind one door."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from jinja2 import ChainableUndefined, Environment, PackageLoader, PrefixLoader, select_autoescape
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from pipelines.faults import BoroughlinkError, Refusal, plural
from pipelines.keys.keyring import READING, open_keyring
from pipelines.operations import Operations
from pipelines.scorecard.sparkline import sparkline
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import NothingPublished, SnapshotGone
from review_app import evidence, flagged, linkage_report, records, story
from review_app.clusters import NoSuchItem
from review_app.council_sign_in import provider
from review_app.desk import House, SignInFirst, signed_in
from review_app.leases import Leases
from review_app.policy import policy
from review_app.published import Published
from review_app.roles import User
from review_app.routes import ROOMS
from review_app.security import Calm, Headers, Refused, Sizes
from review_app.verdicts import Verdicts

HERE = Path(__file__).parent
COOKIE = "boroughlink"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def create_app(folder: DataFolder, local: Sequence[User] = (), https: bool = False) -> FastAPI:
    """The app over a data folder. `local` are users who need no sign-in elsewhere: for invented people only.

    Raises BoroughlinkError where data is real and local users are named, or the store can't be opened.
    """
    settings = load_settings(folder)
    if local and settings.holds == "real":
        raise BoroughlinkError(
            "A local user may see invented people only: this folder holds real data. Set up sign-in."
        )
    keyring = open_keyring(folder, settings, READING)
    operations = Operations.open(folder, keyring)
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Headers, https=https),
            # no password stands before a local user: a page of another site must not reach it by another name
            *([Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))] if local else []),
            Middleware(Sizes, most=policy()["largest_post"]),
            Middleware(
                SessionMiddleware,
                secret_key=keyring.hmac("fields", b"session cookies").hex(),
                session_cookie=f"__Host-{COOKIE}" if https else COOKIE,
                max_age=policy()["idle_minutes"] * 60,
                same_site="lax",
                https_only=https,
            ),
            Middleware(Calm, page=_unforeseen),
        ],
    )
    app.state.house = House(
        folder,
        settings,
        operations,
        Published(folder, (flagged.keep, linkage_report.keep)),
        Verdicts(operations),
        Leases(operations),
        _templates(),
        tuple(local),
    )
    if settings.oidc_issuer:
        app.state.house.oidc = provider(settings)
    # packed on the way; pages are not: a packed page that repeats what was sent would tell of its secrets
    app.mount("/static", GZipMiddleware(StaticFiles(directory=HERE / "static")), name="static")
    for room in ROOMS:
        app.include_router(room)
    _faults(app)
    _front(app)
    return app


def _templates() -> Jinja2Templates:
    environment = Environment(
        loader=PrefixLoader(
            {
                "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
                "app": PackageLoader("review_app"),
            }
        ),
        autoescape=select_autoescape(),
        undefined=ChainableUndefined,  # the components ask for options that are not given
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "plural": plural,
        "odds": evidence.odds,
        "chance": evidence.chance,
        "compared": records.compared,
        "masked": records.masked,
        "FIELDS": records.FIELDS,
        "REASONS": story.REASONS,
        "rule_words": evidence.rule_words,
        "sparkline": sparkline,
        "version": _versions(),
    }
    environment.filters |= {"day": records.day, "thousands": lambda number: f"{number:,}"}
    return Jinja2Templates(env=environment)


def _versions() -> dict[str, str]:
    """File in static/ -> a mark of its content, so that a browser keeps it for long and notices a change."""
    import hashlib

    return {
        str(path.relative_to(HERE / "static")): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in (HERE / "static").rglob("*.*")
        if path.suffix in (".css", ".js", ".svg")
    }


def _unforeseen(request: Request) -> Response:
    held: House = request.app.state.house
    text = "Something went wrong that we did not foresee. What you just sent may not be saved: look again before you "
    text += "repeat it. All that was saved before still is. Tell your administrator when it happened."
    return held.page(request, "app/fault.html", 500, title="This did not work", text=text)


def _faults(app: FastAPI) -> None:
    """Calm pages for what goes wrong: what happened, what became of the reader's work, what to do."""

    def told(request: Request, status: int, title: str, text: str, **more: Any) -> Response:
        held: House = request.app.state.house
        return held.page(request, "app/fault.html", status, title=title, text=text, **more)

    @app.exception_handler(SignInFirst)
    def sign_in(request: Request, _: Exception) -> Response:
        if request.method == "GET" and not request.headers.get("hx-request"):
            request.session["next"] = request.url.path
            return RedirectResponse("/sign-in", 303)
        text = "You were signed out because nothing happened for a while. What you just sent was not saved; all that "
        text += "you answered before was. Sign in, and the item opens again."
        return told(request, 401, "You are signed out", text, link=("/sign-in", "Sign in"))

    @app.exception_handler(Refused)
    def refused(request: Request, fault: Refused) -> Response:
        return told(request, fault.status, fault.title, fault.text)

    @app.exception_handler(NoSuchItem)
    def gone(request: Request, _: Exception) -> Response:
        if request.method == "GET" and request.session.pop("given", "") == request.url.path:
            request.session["flash"] = {"text": "A newer run has settled the item that was next. Here is another."}
            return RedirectResponse("/review/next", 303)
        text = "It may have been settled by a newer run, or the address is mistyped. Nothing that you decided is lost."
        return told(request, 404, "This item is not in the published run", text, link=("/review", "Back to the queue"))

    @app.exception_handler(NothingPublished)
    def nothing(request: Request, _: Exception) -> Response:
        text = "A run has to be published before there is anything to look at. An analyst can start one."
        return told(request, 503, "Nothing is published yet", text)

    @app.exception_handler(SnapshotGone)
    def lost(request: Request, _: Exception) -> Response:
        text = "What the last run published is gone from the disk. Your answers are kept elsewhere and are whole. An "
        text += "administrator restores it from the backup; or an analyst runs again."
        return told(request, 503, "The published run is not there", text)

    @app.exception_handler(BoroughlinkError)
    def known(request: Request, fault: BoroughlinkError) -> Response:
        if isinstance(fault, Refusal) and (user := signed_in(request)):
            request.app.state.house.note(user, "refused", type(fault).__name__, why=str(fault)[:400])
        return told(request, 503, "This can't be done at the moment", str(fault))

    @app.exception_handler(OSError)
    @app.exception_handler(SQLAlchemyError)
    def store(request: Request, _: Exception) -> Response:
        why = "The disk may be full, or the store of decisions in use. "
        then = "Try again in a minute, and tell your administrator if it stays."
        if request.method == "GET":
            text = "Who looks at people is noted before they are shown, and the note could not be written. " + why
            return told(request, 503, "This page can’t be shown at the moment", text + then)
        text = why + "What you just sent was not saved; all before it was. " + then
        return told(request, 503, "What you sent could not be saved", text)

    @app.exception_handler(HTTPException)
    def plain(request: Request, fault: HTTPException) -> Response:
        if fault.status_code == 404:
            return told(request, 404, "There is no such page", "Check the address, or start from the first page.")
        return told(request, fault.status_code, "That does not work here", "Go back and try another way.")


def _front(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def first(request: Request) -> Response:
        user = signed_in(request)
        if user is None:
            return RedirectResponse("/sign-in", 303)
        return RedirectResponse(home(user), 303)


def home(user: User) -> str:
    """Where somebody's work is."""
    for permission, path in (
        ("review", "/review"),
        ("flagged", "/flagged"),
        ("review_restricted", "/review/restricted"),
        ("audit", "/audit"),
        ("runs", "/runs"),
        ("quality", "/quality"),
    ):
        if user.may(permission):
            return path
    return "/help"
