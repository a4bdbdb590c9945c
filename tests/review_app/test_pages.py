"""Every page and state in a browser: accessible, calm on a narrow screen, asking nobody else for anything."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import DataFolder, remember
from review_app.policy import policy
from tests.review_app import town
from tests.review_app.browser import CHROMIUM, Watched, needs_browser, served
from tests.review_app.town import Town

pytestmark = needs_browser
STATIC = Path(__file__).resolve().parents[2] / "review_app" / "static"


@pytest.fixture(autouse=True, scope="module")
def _many_sign_ins() -> Iterator[None]:
    """One machine plays everybody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(policy(), "sign_ins_a_minute", 1000)
        patch.setitem(policy(), "pages_a_minute", 10_000)
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator["object"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def home(founded: tuple[DataFolder, Town], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The town with a crowd in it, served once for all tests here."""
    root = tmp_path_factory.mktemp("served") / "data"
    shutil.copytree(founded[0].root, root)
    folder = DataFolder.at(root)
    remember(folder, holds="synthetic")
    town.publish(folder, founded[1], town.crowded)
    with served(folder) as address:
        yield address


def someone(browser: "object", home: str, name: str, width: int = 1280, **more: object) -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 900}, **more)
    context.set_default_timeout(15_000)
    return Watched(context, home).sign_in(name)


#: Screenshots for the docs, made when BOROUGHLINK_IMAGES names a folder.
PICTURES = {"/review": "review-start", "/review/next": "review-item", "/flagged": "flagged-list"}
#: What reaches beyond the window, unless it scrolls by itself.
WIDE = """document.documentElement.scrollWidth <= window.innerWidth ? []
    : ['the page', ...[...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest('.app-scroll'))
    .map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right))]"""
PAGES = {
    "Ruth Reviewer": [
        "/review", "/review/next", "/review/sample", "/review/done", "/review/item/q_crowd", "/review/item/q_none",
        "/choices", "/declarations", "/search", "/linkage", "/agreement", "/flagged", "/help",
        "/help/first-steps", "/help/twins", "/help/father-and-son", "/help/name-change", "/help/transliteration",
        "/help/shared-house", "/help/accessibility",
    ],
    "Fred Fraud": ["/flagged", "/flagged?state=closed", "/flagged/f_2", "/flagged/f_none"],
    "Wanda Watch": ["/runs", "/quality", "/linkage", "/approvals", "/audit", "/review/restricted"],
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_narrow_screens_need_no_sideways_scrolling(
    browser: "object", home: str, name: str
) -> None:
    watched = someone(browser, home, name)
    for path in PAGES[name]:
        watched.go(path)
        assert watched.axe() == [], path
        assert watched.page.get_by_text("Invented people", exact=True).is_visible(), path
        if path in PICTURES:
            watched.picture(PICTURES[path], 900)
    watched.page.set_viewport_size({"width": 320, "height": 800})
    for path in PAGES[name]:
        watched.go(path)
        assert watched.page.evaluate(WIDE) == [], path
    assert watched.strangers() == [] and watched.complaints() == []


def test_states_of_an_item_are_accessible(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Rob Reviewer")
    watched.go("/review/next")
    path = watched.page.url.removeprefix(watched.home)
    watched.go(f"{path}/find")
    watched.page.get_by_label("Surname").fill("SMITH")
    watched.page.get_by_label("Forename, or how it begins").fill("J")
    watched.page.get_by_role("button", name="Search").click()
    assert watched.axe() == []
    watched.go(f"{path}/fault")
    watched.page.get_by_role("button", name="Report it").click()
    assert watched.page.get_by_role("alert").count() == 1 and watched.axe() == []
    watched.go(path)
    watched.page.get_by_role("button", name="Ask for evidence").click()
    watched.page.get_by_text("Say in the note what evidence").wait_for()
    assert watched.axe() == []
    for details in watched.page.locator("details").all():
        details.locator("summary").click()
    assert watched.axe() == []
    links = watched.page.get_by_role("link", name=re.compile("^Why"))
    if links.count():
        links.first.click()
        watched.page.get_by_role("heading", name="Why these two").wait_for()
        assert watched.axe() == []
    watched.go("/search")
    watched.page.get_by_role("button", name="Search").click()
    assert watched.axe() == []
    assert watched.complaints() == []


def test_keys_answer_focus_moves_and_the_outcome_is_said(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Rob Reviewer")
    page = watched.page
    watched.go("/review/next")
    first = page.url
    page.keyboard.press("u")
    page.get_by_role("status").get_by_text("Saved: not sure.").wait_for()
    assert page.url != first
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert watched.axe() == []
    page.keyboard.press("z")
    page.get_by_role("status").get_by_text("Taken back").wait_for()
    assert page.url.split("?")[0] == first.split("?")[0]
    assert watched.complaints() == [] and watched.strangers() == []


def test_a_letter_typed_into_a_field_answers_nothing(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Rob Reviewer")
    watched.go("/review/next")
    before = watched.page.url
    watched.page.get_by_label("Note").press_sequentially("sdux")
    assert watched.page.url == before and watched.page.get_by_label("Note").input_value() == "sdux"


def test_digits_tick_records(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Ruth Reviewer")
    watched.go("/review/item/q_crowd")
    watched.page.keyboard.press("2")
    assert watched.page.locator("#tick-2").is_checked() and not watched.page.locator("#tick-1").is_checked()
    watched.page.keyboard.press("2")
    assert not watched.page.locator("#tick-2").is_checked()


def test_shortcuts_stay_off_and_other_keys_stay_chosen(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Rob Reviewer")
    watched.go("/choices")
    watched.page.get_by_label("Single keys answer").uncheck()
    watched.page.get_by_label("Not sure").fill("q")
    watched.page.get_by_role("button", name="Keep these choices").click()
    again = someone(browser, home, "Rob Reviewer")  # another browser, the same person
    again.go("/review/next")
    before = again.page.url
    for key in "usdq":
        again.page.keyboard.press(key)
    again.page.wait_for_timeout(400)
    assert again.page.url == before and again.page.locator("kbd").count() == 0
    again.go("/choices")
    assert not again.page.get_by_label("Single keys answer").is_checked()
    again.page.get_by_label("Single keys answer").check()
    again.page.get_by_role("button", name="Keep these choices").click()
    again.go("/review/next")
    again.page.keyboard.press("u")  # no longer a key
    again.page.keyboard.press("q")
    again.page.get_by_role("status").get_by_text("Saved: not sure.").wait_for()
    again.page.keyboard.press("z")
    again.page.get_by_role("status").get_by_text("Taken back").wait_for()


def test_without_javascript_answers_are_taken_too(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Ruth Reviewer", java_script_enabled=False)
    watched.go("/review/next")
    before = watched.page.url
    watched.page.get_by_role("button", name="Not sure").click()
    watched.page.get_by_role("status").get_by_text("Saved: not sure.").wait_for()
    assert watched.page.url != before
    watched.page.get_by_role("button", name="Take it back").click()
    watched.page.get_by_role("status").get_by_text("Taken back").wait_for()


def test_two_tabs_and_the_back_button(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Ruth Reviewer")
    watched.go("/review/next")
    path = watched.page.url.removeprefix(watched.home)
    other = Watched(watched.page.context, home).go(path)
    watched.page.get_by_role("button", name="Not sure").click()
    watched.page.get_by_role("status").get_by_text("Saved: not sure.").wait_for()
    other.page.get_by_role("button", name="Same person").click()
    other.page.get_by_text("You have answered this item already").wait_for()
    assert other.axe() == []
    watched.page.go_back()
    watched.page.get_by_role("button", name="Same person").wait_for()
    watched.page.get_by_role("button", name="Same person").click()
    watched.page.get_by_text("You have answered this item already").wait_for()
    watched.go("/review")
    watched.page.get_by_role("button", name="Take back my last answer").click()
    watched.page.get_by_role("status").get_by_text("Taken back").wait_for()


def test_a_case_from_mask_to_outcome(browser: "object", home: str) -> None:
    watched = someone(browser, home, "Fred Fraud")
    page = watched.page
    watched.go("/flagged/f_3")
    assert "No assumption can be made" in page.content() and "REF-3" not in page.content()
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Say in a sentence why").wait_for()
    page.get_by_label(re.compile("Who is it")).fill("Preparing the letter to the tenant.")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Shown by name for").wait_for()
    assert "REF-3" in page.content() and watched.axe() == []
    page.get_by_role("button", name="Take it").click()
    page.get_by_label("No issue").check()
    page.get_by_role("button", name="Close the case").click()
    page.get_by_role("button", name="Open it again").wait_for()
    assert watched.axe() == []
    watched.go("/flagged").go("/flagged/f_3")
    assert "REF-3" not in page.content()  # masked again on leaving
    assert watched.complaints() == [] and watched.strangers() == []


def test_hostile_names_stay_names(browser: "object", founded: tuple[DataFolder, Town], tmp_path: Path) -> None:
    shutil.copytree(founded[0].root, tmp_path / "data")
    folder = DataFolder.at(tmp_path / "data")
    town.publish(folder, founded[1], town.hostile)
    with served(folder) as address:
        watched = someone(browser, address, "Ruth Reviewer")
        watched.page.on("dialog", lambda dialog: pytest.fail("a name ran as a script"))
        seen = ""
        watched.go("/review/next")
        for _ in range(6):
            seen += watched.page.content()
            assert watched.axe() == []
            watched.page.set_viewport_size({"width": 320, "height": 800})
            assert watched.page.evaluate(WIDE) == []
            watched.page.set_viewport_size({"width": 1280, "height": 900})
            left = watched.page.url
            watched.page.get_by_role("button", name="Leave it for later").click()
            watched.page.wait_for_url(lambda now, left=left: now != left)
        assert "&lt;script&gt;alert(1)" in seen and "<script>alert" not in seen
        assert watched.complaints() == [] and watched.strangers() == []


def test_drawings_can_be_told_from_the_page() -> None:
    """Every filled shape of a drawing stands 3 : 1 against white, or has an outline that does."""
    css = (STATIC / "app.css").read_text(encoding="utf-8")
    fills = dict(re.findall(r"\.(for|shade-\d)\{fill:(#[0-9a-f]{6})\}", css))
    assert set(fills) == {"for", "shade-0", "shade-1", "shade-2", "shade-3"}
    outline = re.findall(r"\.stay\{stroke:(#[0-9a-f]{6})", css)[0]
    for name, colour in fills.items():
        assert contrast(colour, "#ffffff") >= 3 or (name.startswith("shade") and contrast(outline, "#ffffff") >= 3)
    hatch = re.findall(r"\.against\{stroke:(#[0-9a-f]{6})", css)[0]
    assert contrast(hatch, "#ffffff") >= 3
    for colour in re.findall(r"fill:(#1f2629)", css):
        assert contrast(colour, "#ffffff") >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
