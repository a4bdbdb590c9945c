"""Who may do what: every role against every address; sessions, forged posts, sizes, floods, headers."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from itsdangerous import TimestampSigner
from starlette.routing import Mount

from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations
from pipelines.settings import DataFolder, load_settings
from pipelines.store_tables import audit_table
from review_app.app import COOKIE, create_app
from review_app.policy import policy
from review_app.roles import User, permissions, titles
from review_app.serving import is_loopback, local_users, serve
from tests.review_app.conftest import Reader, reading

MATRIX: dict[str, object] = yaml.safe_load(Path(__file__).with_name("access.yaml").read_text())


def addresses(app: object) -> set[str]:
    """`METHOD /path` of every route, parameters as the matrix writes them."""
    found = set()

    def walk(routes: list[object]) -> None:
        for route in routes:
            if isinstance(route, Mount):
                continue
            if nested := getattr(route, "routes", None) or getattr(
                getattr(route, "original_router", None), "routes", None
            ):
                walk(nested)
                continue
            for method in route.methods - {"HEAD"}:
                path = route.path.replace("{item_id}", "q_x").replace("{flag_id}", "f_x")
                path = path.replace("/help/{name}", "/help/first-steps").replace("{source}", "x")
                found.add(f"{method} {path.replace('{request_id}', 'x')}")

    walk(app.routes)
    return found


def test_the_matrix_names_every_address(founded) -> None:
    app = create_app(founded[0])
    assert addresses(app) == set(MATRIX)
    app.state.house.operations.close()


@pytest.mark.parametrize("role", [*titles(), "nobody"])
def test_role_against_route(founded, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy(), "pages_a_minute", 10_000)
    monkeypatch.setattr("review_app.routes.governing.start", lambda *_: "not in a test of access")
    with reading(founded[0], "Somebody", *(["reviewer"] if role == "nobody" else [role])) as reader:
        token = reader.csrf()
        if role == "nobody":
            reader.cookies.clear()
        for address, allowed in MATRIX.items():
            method, path = address.split(" ")
            if path in ("/sign-out", "/sign-in", "/choices") and method == "POST":
                continue  # they change who is there
            answer = reader.request(
                method, path, data={"csrf": token} if method == "POST" else None, follow_redirects=False
            )
            refused = answer.status_code in (401, 403) and "not for your role" in answer.text
            turned_away = answer.status_code == 401 or answer.headers.get("location") == "/sign-in"
            if allowed == "anyone":
                assert not refused, address
            elif role == "nobody":
                forged = answer.status_code == 403 and "can't be used" in answer.text
                assert turned_away or forged, address
            elif allowed == "everyone" or role in allowed:  # type: ignore[operator]
                assert not refused and not turned_away, (address, answer.status_code)
            else:
                assert refused, (address, answer.status_code)


def test_roles_and_permissions_fit() -> None:
    for permission, roles in permissions().items():
        assert set(roles) <= set(titles()), permission


def test_a_refusal_stands_in_the_audit(place: DataFolder) -> None:
    with reading(place, "Ada Analyst", "analyst") as reader:
        assert reader.get("/review").status_code == 403
    operations = Operations.open(place, open_keyring(place, load_settings(place), STANDING_KEYS))
    with operations.begin() as db:
        rows = db.execute(sa.select(audit_table.c.event, audit_table.c.actor)).all()
    operations.close()
    assert ("page refused", "Ada Analyst") in [tuple(row) for row in rows]


def test_forged_sessions_and_roles_are_nobody(place: DataFolder) -> None:
    with reading(place, "Ada Analyst", "analyst") as reader:
        good = reader.cookies[COOKIE]
        reader.cookies.clear()
        forged = TimestampSigner("guess").sign(good.split(".")[0]).decode()
        for cookie in (forged, good[:-2] + "xx", "", "a.b.c"):
            reader.cookies.set(COOKIE, cookie)
            assert reader.get("/runs", follow_redirects=False).headers["location"] == "/sign-in"
            reader.cookies.clear()


def test_an_idle_session_ends_and_says_so(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy(), "idle_minutes", -1)
    with reading(place) as reader:
        assert reader.get("/review", follow_redirects=False).headers["location"] == "/sign-in"
        answer = reader.post("/review/item/q_x", data={"csrf": "x", "verdict": "same"})
        assert answer.status_code in (401, 403) and "not saved" in answer.text.replace("Nothing was saved", "not saved")


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_post_without_our_token_is_refused(place: DataFolder, token: str) -> None:
    with reading(place) as reader:
        page = reader.item()
        page.fields["csrf"] = token
        assert page.answer_with("same").status_code == 403
        assert reader.post("/review/undo", data={}, headers={"origin": "https://elsewhere.example"}).status_code == 403


def test_a_post_from_another_site_is_refused_even_with_the_token(place: DataFolder) -> None:
    with reading(place) as reader:
        data = {"csrf": reader.csrf()}
        assert (
            reader.post("/review/undo", data=data, headers={"origin": "https://elsewhere.example"}).status_code == 403
        )
        assert reader.post("/review/undo", data=data, headers={"origin": "http://localhost"}).status_code == 200


def test_an_oversized_post_is_refused_whether_it_says_so_or_not(place: DataFolder) -> None:
    with reading(place) as reader:
        large = "x" * (policy()["largest_post"] + 1)
        assert reader.post("/review/undo", data={"csrf": reader.csrf(), "note": large}).status_code == 413

        def drip():
            yield b"csrf=x&note="
            for _ in range(20):
                yield b"y" * 8192

        head = {"content-type": "application/x-www-form-urlencoded"}
        assert reader.post("/review/undo", content=drip(), headers=head).status_code == 413
        assert reader.post(
            "/review/undo", content=b"\xff\xfe{", headers={"content-type": "multipart/form-data"}
        ).status_code in (400, 403)


def test_too_many_pages_in_a_minute(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(place) as reader:
        monkeypatch.setitem(policy(), "pages_a_minute", 5)
        codes = [reader.get("/choices").status_code for _ in range(8)]
        assert codes[-1] == 429
        token = reader.csrf("/help")
        monkeypatch.setitem(policy(), "sign_ins_a_minute", 3)
        assert [reader.post("/sign-in", data={"csrf": token, "name": "guess"}).status_code for _ in range(5)][-1] == 429


def test_every_answer_carries_the_headers(reviewer: Reader) -> None:
    for path in ("/review", "/review/next", "/nowhere", "/static/app.css", "/help/twins"):
        answer = reviewer.get(path)
        policy_said = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy_said and "frame-ancestors 'none'" in policy_said
        assert "unsafe" not in policy_said and answer.headers["x-content-type-options"] == "nosniff"
        if not path.startswith("/static"):
            assert answer.headers["cache-control"] == "no-store"
            nonce = re.findall(r"'nonce-([^']+)'", policy_said)[0]
            assert f'nonce="{nonce}"' in answer.text
            assert not re.findall(r"<script(?![^>]*nonce)", answer.text) and " style=" not in answer.text
    assert reviewer.get("/review").headers["content-security-policy"] != policy_said


def test_forged_ids_are_calm(reviewer: Reader) -> None:
    strange = ("q_none", "q" * 300, "%2e%2e", "s_none", "q_none?part=<script>", "../../etc")
    for path in (*(f"/review/item/{each}" for each in strange), "/review/next?after=zz&pattern=%27%22"):
        answer = reviewer.get(path)
        assert answer.status_code in (200, 404), path
        assert "Traceback" not in answer.text and "<script>" not in answer.text


def test_a_sign_in_keeps_no_address_elsewhere(place: DataFolder) -> None:
    app = create_app(place, [User("Ruth", frozenset({"reviewer"}))])
    with Reader(app, base_url="http://localhost") as reader:
        assert reader.get("/review", follow_redirects=False).headers["location"] == "/sign-in"
        token = re.findall(r'name="csrf" value="([^"]+)"', reader.get("/sign-in").text)[0]
        assert reader.post("/sign-in", data={"csrf": token, "name": "Eve"}).status_code == 403
        to = reader.post("/sign-in", data={"csrf": token, "name": "Ruth"}, follow_redirects=False)
        assert to.headers["location"] == "/review"
    app.state.house.published.close()
    app.state.house.operations.close()


def test_a_local_user_is_reached_by_the_names_of_this_machine_only(place: DataFolder) -> None:
    with reading(place) as reader:
        assert reader.get("/sign-in", headers={"host": "rebound.example"}).status_code == 400
        assert reader.get("/sign-in", headers={"host": "127.0.0.1:8600"}).status_code == 200


def test_local_users_are_for_this_machine_and_invented_people(
    place: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = local_users(["Ann", "Bob=analyst,siro"], ["reviewer"])
    assert [sorted(user.roles) for user in users] == [["reviewer"], ["analyst", "siro"]]
    with pytest.raises(BoroughlinkError, match="no role"):
        local_users(["Ann"], ["king"])
    with pytest.raises(BoroughlinkError, match="at least one"):
        local_users(["Ann"], [])
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("council.example")
    with pytest.raises(BoroughlinkError, match="this machine only"):
        serve(place, "0.0.0.0", 8600, users)
    with pytest.raises(BoroughlinkError, match="this machine only"):
        serve(place, "127.0.0.1", 8600, users, behind_proxy=True)
    monkeypatch.setenv("BOROUGHLINK_HOLDS", "real")
    with pytest.raises(BoroughlinkError, match="invented people only"):
        serve(place, "127.0.0.1", 8600, users)
    with pytest.raises(BoroughlinkError, match="invented people only"):
        create_app(place, users)
