"""The quality page: whole, offline and accessible, in words and in a browser, wide, narrow and printed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.readiness.readiness_data import (
    WORDS,
    BlockingRule,
    GroupReadiness,
    Mend,
    PairReadiness,
    ReadinessData,
    SourceReadiness,
)
from pipelines.reporting.quality_page import render_quality
from pipelines.scorecard.standing import (
    PRINCIPLES,
    Point,
    PrincipleStanding,
    Reported,
    RuleStanding,
    ScorecardData,
    SourceStanding,
)
from tests.reporting.test_page import Page
from tests.review_app.browser import AXE, CHROMIUM, needs_browser

DAY = date(2026, 10, 31)
STATES = ("fails", "warns", "holds", "holds", "not judged", "holds")


def standing(name: str, state: str) -> PrincipleStanding:
    failing = state in ("fails", "warns")
    severity = "critical" if state == "fails" else "warning"
    since = DAY if failing else None
    says = "member.ni_no <b>has</b> the agreed form."
    counts = ("member", "ni_no", 264, 9, 0.03, 0.01, not failing, True, None, since)
    rule = RuleStanding("member.ni_no.form", says, severity, *counts, state, says if failing else "")
    points = tuple(Point(date(2026, month, 28), f"r{month}", 90.0 + month, state) for month in (7, 8, 9, 10))
    score = None if state == "not judged" else 99.0
    return PrincipleStanding(name, "Is it so?", state, score, -1.0, points, (says,) * failing, (rule,), 1)


def scorecard() -> ScorecardData:
    principles = tuple(map(standing, PRINCIPLES, STATES))
    told = (Reported("accurate", "a value is wrong", "birth_date", 2, "2026-10-02"),)
    housing = SourceStanding("housing", "Housing tenancies", "Housing", "h@x", DAY, 35, 3, "fails", principles, told)
    nothing = tuple(
        PrincipleStanding(name, "Is it so?", "not judged", None, None, (), (), (), 0) for name in PRINCIPLES
    )
    absent = SourceStanding("deaths", "Registered deaths", "Registrar", "d@x", None, 35, 0, "not judged", nothing, ())
    return ScorecardData("20261101T020000-abcdef", date(2026, 11, 1), (housing, absent))


def readiness() -> ReadinessData:
    filled = dict.fromkeys(WORDS, 0.9)
    return ReadinessData(
        0.96,
        0.98,
        (SourceReadiness("housing", 376, 363, 1, 1125, 47.0, 0.96, 0.97, 160, 159, 13, 26, filled),),
        (PairReadiness("housing", "deaths", 12, 6.4, 0.65),),
        tuple(GroupReadiness("ward", f"Ward {n}", 100 + n, n, 3.0, 0.9 + n / 100) for n in range(5)),
        (
            Mend(1, 1, "housing", "birth_date", 300, 76, 12, 31.4, 20.0, 43.0),
            Mend(2, 2, "housing", "nino", 300, 76, 0, 0.0, 0.0, 0.0),
        ),
        (BlockingRule("birth_date_surname", 900, 12, None),),
    )


@pytest.fixture(params=["whole", "empty"])
def html(request: pytest.FixtureRequest) -> str:
    if request.param == "empty":
        return render_quality(ScorecardData("r", DAY, ()), ReadinessData(), "The council", False)
    return render_quality(scorecard(), readiness(), "The council", True)


def test_nothing_is_fetched_and_nothing_runs(html: str) -> None:
    page = Page(html)
    assert not list(page.all("script", "link", "img", "iframe", "object", "embed"))
    assert all((a["href"] or "").startswith("#") or a["href"] == "report.html" for a in page.all("a"))
    assert "url(http" not in html and "@import" not in html


def test_ids_are_unique_and_every_reference_leads_somewhere(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes, _ in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {name for _, a, _ in page.found for name in (a.get("aria-labelledby") or "").split()}
    linked = {(a["href"] or "")[1:] for a in page.all("a") if a["href"] != "report.html"}
    assert named | linked <= set(ids)


def test_it_is_headed_by_the_council_if_one_is_named() -> None:
    named, nameless = (render_quality(scorecard(), readiness(), council, True) for council in ("Wyre", ""))
    assert ": Wyre</title>" in named and "<span>Wyre</span>" in named
    plain = render_quality(scorecard(), readiness(), "", False)
    assert "for those who work on these data" in plain and "council</p>" not in plain
    assert ":</title>" not in nameless and ": </title>" not in nameless and "<span></span>" not in nameless


def test_it_says_what_to_mend_first_who_owns_it_and_how_much_it_wins() -> None:
    html = render_quality(scorecard(), readiness(), "The council", True)
    for told in ("full date of birth", "Housing", "3 days late", "2 × a value is wrong", "Down 1.0", "Not judged"):
        assert told in html, told
    begins = html[html.index('class="starts"') :]
    assert begins.index("send the extract again") < begins.index("in 12 rows of 76 that lack it (Housing)")
    assert "It would join 20 to 43 pairs of records of one person." in begins
    assert "Today the source misses links most of all with Registered deaths (6)." in begins
    assert "&lt;b&gt;has&lt;/b&gt;" in html and "<b>has</b>" not in html
    assert "extracts, oldest first: 97.0, 98.0, 99.0, 100.0" in html


@pytest.fixture(scope="module")
def browser() -> Iterator["object"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@needs_browser
@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (320, "screen"), (1280, "print")])
def test_a_browser_finds_nothing_to_complain_of(browser: "object", tmp_path: Path, width: int, media: str) -> None:
    path = tmp_path / "quality.html"
    path.write_text(render_quality(scorecard(), readiness(), "The council", True), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900})
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    page.emulate_media(media=media)
    assert asked == [path.as_uri()] and said == []
    for summary in page.query_selector_all("summary"):
        if media == "screen":
            summary.click()
    session = context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    run = (
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | ')))"
    )
    found = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
    assert found["result"]["value"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
