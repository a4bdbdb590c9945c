"""Sign-in with council accounts against a small OpenID provider on loopback: the real protocol, keys and all."""

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from authlib.jose import JsonWebKey, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder, Settings
from review_app.app import create_app
from review_app.council_sign_in import provider as registered
from review_app.council_sign_in import user_of
from tests.review_app.conftest import Reader

KEY = JsonWebKey.generate_key("RSA", 2048, is_private=True, options={"kid": "one"})


class Provider:
    """Signs everyone in as `claims`; notes what it was asked."""

    def __init__(self) -> None:
        self.claims: dict[str, object] = {}
        self.asked: dict[str, str] = {}
        self.wrong_nonce = False

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/keys", self.keys),
        ]

    async def discovery(self, request: Request) -> Response:
        home = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": home,
                "authorization_endpoint": f"{home}/authorize",
                "token_endpoint": f"{home}/token",
                "jwks_uri": f"{home}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        self.asked = dict(request.query_params)
        return RedirectResponse(f"{self.asked['redirect_uri']}?code=abc&state={self.asked['state']}", 303)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        assert form["code"] == "abc" and form["code_verifier"]
        now, home = int(time.time()), str(request.base_url).rstrip("/")
        nonce = "another" if self.wrong_nonce else self.asked["nonce"]
        claims = {"iss": home, "aud": "boroughlink", "iat": now, "exp": now + 60, "nonce": nonce, "sub": "1"}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims, KEY).decode()
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": signed})

    async def keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(is_private=False)]})


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[Provider, str]]:
    made = Provider()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=made.routes()), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield made, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def asked(
    place: DataFolder, provider: tuple[Provider, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Reader, Provider]]:
    monkeypatch.setenv("BOROUGHLINK_OIDC_ISSUER", provider[1])
    monkeypatch.setenv("BOROUGHLINK_OIDC_CLIENT_ID", "boroughlink")
    monkeypatch.setenv("BOROUGHLINK_OIDC_SECRET", "hush")
    with (place.root / "boroughlink.yaml").open("a") as settings:
        settings.write("roles:\n  reviewer: [ann.smith]\n  fraud_officer: [fred]\n")
    app = create_app(place)
    with Reader(app, base_url="http://localhost") as reader:
        provider[0].wrong_nonce = False
        yield reader, provider[0]
    app.state.house.published.close()
    app.state.house.operations.close()


def sign_in(reader: Reader) -> httpx.Response:
    away = reader.get("/sign-in/council", follow_redirects=False)
    back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"]
    parts = urlsplit(back)
    return reader.get(f"{parts.path}?{parts.query}", follow_redirects=False)


def test_a_council_account_signs_in_with_the_roles_of_the_settings(asked: tuple[Reader, Provider]) -> None:
    reader, provider = asked
    provider.claims = {"preferred_username": "Ann.Smith@council.gov.uk"}
    assert "council account" in reader.get("/sign-in").text
    assert sign_in(reader).headers["location"] == "/"
    assert provider.asked["code_challenge_method"] == "S256" and provider.asked["nonce"]
    page = reader.get("/review")
    assert page.status_code == 200 and "ann.smith" in page.text
    assert reader.get("/flagged").status_code == 403


def test_app_roles_of_the_provider_count_too_and_unknown_ones_do_not(asked: tuple[Reader, Provider]) -> None:
    reader, provider = asked
    provider.claims = {"preferred_username": "zed@council.gov.uk", "roles": ["analyst", "emperor"]}
    assert sign_in(reader).status_code == 303
    assert reader.get("/runs").status_code == 200 and reader.get("/review").status_code == 403


def test_an_account_without_a_role_is_let_in_nowhere(asked: tuple[Reader, Provider]) -> None:
    reader, provider = asked
    provider.claims = {"preferred_username": "nobody@council.gov.uk"}
    refused = sign_in(reader)
    assert refused.status_code == 403 and "no role here yet" in refused.text
    assert reader.get("/review", follow_redirects=False).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("claims", "comes_in"),
    [
        ({"preferred_username": "Ann.Smith@Council.gov.uk"}, True),
        ({"preferred_username": "ann.smith@mail.example", "roles": ["reviewer"]}, False),  # a guest of the tenant
        ({"preferred_username": "ann.smith@council.gov.uk@mail.example"}, False),
        ({"email": "ann.smith@council.gov.uk"}, True),
        ({"email": "ann.smith@council.gov.uk", "email_verified": False}, False),
    ],
)
def test_a_guest_of_one_name_is_nobody_here(claims: dict[str, object], comes_in: bool) -> None:
    settings = Settings(oidc_domains=("council.gov.uk",), roles={"reviewer": ["ann.smith"]})
    user = user_of({"sub": "1"} | claims, settings)
    assert (user is not None and user.name == "ann.smith") is comes_in


def test_sign_in_over_real_people_names_its_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOROUGHLINK_OIDC_SECRET", "hush")
    asked = {"holds": "real", "oidc_issuer": "https://login.example", "oidc_client_id": "boroughlink"}
    with pytest.raises(BoroughlinkError, match="needs `oidc_domains`"):
        registered(Settings(**asked))
    assert registered(Settings(**asked, oidc_domains=("council.gov.uk",)))


def test_a_forged_answer_is_refused(asked: tuple[Reader, Provider]) -> None:
    reader, provider = asked
    provider.claims = {"preferred_username": "ann.smith"}
    assert reader.get("/sign-in/back?code=abc&state=guess").status_code == 403
    provider.wrong_nonce = True
    assert sign_in(reader).status_code == 403
    provider.wrong_nonce = False
    away = reader.get("/sign-in/council", follow_redirects=False).headers["location"]
    assert parse_qs(urlsplit(away).query)["redirect_uri"] == ["http://localhost/sign-in/back"]


def test_half_a_set_up_is_refused(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOROUGHLINK_OIDC_ISSUER", "https://login.example")
    with pytest.raises(BoroughlinkError, match="oidc_client_id"):
        create_app(place)
