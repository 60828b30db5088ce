"""The page in a real browser: what a customer sees and hears in each state, in both languages, with axe in each.

A page that the browser reports an error of fails its test, so a blocked script or style is found everywhere here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from functions.connect import checks, render
from functions.shared.link import LANGUAGES
from tests.browser.axe import axe
from tests.connect_page.customer import Customer
from tests.connect_page.world import MODELS, Given, Intake
from tests.customer_key.theirs import TheirOpenAI

pytestmark = pytest.mark.browser

UNKNOWN = "sk-" + "svcacct-" + "Zz9" * 20
ADMIN = "sk-" + "admin-" + "Lm2Np5" * 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_opens_pastes_saves_and_has_a_receipt(
    customer: Customer, intake: Intake, theirs: TheirOpenAI, language: str
) -> None:
    given, key, words = intake.issue(language=language), theirs.key()[1], render.words(language)
    tab = customer.open(given)
    expect(tab.title).to_have_text(words["title"])
    assert tab.page.locator("html").get_attribute("lang") == language
    axe(tab.page)

    tab.paste(f"OPENAI_API_KEY={key}")
    tab.wait_until_right()
    assert [tab.row(name).get_attribute("class") for name in checks.NAMES] == [
        *("good", "good", "good", "good", "good", "good", "unseen-by-key", "good")
    ]
    expect(tab.page.locator("#cleaned")).to_contain_text(words["cleaned"]["name"])
    expect(tab.save).to_be_focused()
    axe(tab.page)

    tab.save.click()
    tab.wait_for_receipt()
    expect(tab.title).to_have_text(words["receipt"]["saved"])
    expect(tab.title).to_be_focused()
    expect(tab.page.locator("dl")).to_contain_text(f"…{key[-4:]}")
    expect(tab.page.locator("dl")).to_contain_text("America/Costa_Rica")
    expect(tab.page.locator("dl")).to_contain_text("UTC")
    axe(tab.page)
    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal() == key


WRONG: dict[str, tuple[str, str, str, str]] = {
    "admin key": (ADMIN, "", "shape", "bad"),
    "organization's id": ("org-" + "a1B2c3D4", "", "shape", "bad"),
    "unknown key": (UNKNOWN, "", "accepted", "bad"),
    "no balance": ("", "balance_gone", "balance", "bad"),
    "project's limit": ("", "project_limit", "spend_limit", "bad"),
    "OpenAI down": ("", "500", "accepted", "unknown"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_marked_said_and_focused(
    customer: Customer, intake: Intake, theirs: TheirOpenAI, case: str, language: str
) -> None:
    text, fault, name, state = WRONG[case]
    key = text or theirs.key()[1]
    if fault:
        intake.cell.openai.fault(fault, count=None)
    tab = customer.open(intake.issue(language=language))

    tab.paste(key)

    tab.wait_for(name, state)
    expect(tab.row(name)).to_be_focused()
    expect(tab.page.locator("#verdict")).to_contain_text(render.words(language)["paste"][state])
    expect(tab.save).to_have_attribute("aria-disabled", "true")
    assert tab.field.input_value() == key, "the field keeps its text"
    assert tab.field.get_attribute("aria-invalid") == str(state == "bad").lower()
    axe(tab.page)


def test_a_model_that_the_project_does_not_allow_is_named(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    theirs.send("POST", f"/{theirs.project}/model_permissions", {"mode": "allow_list", "model_ids": [MODELS[0]]})
    tab = customer.open(given)

    tab.paste(theirs.key()[1])

    tab.wait_for("models", "bad")
    expect(tab.row("models")).to_contain_text(f"does not allow {MODELS[1]}")


def test_when_openai_answers_again_the_same_text_passes(
    customer: Customer, given: Given, theirs: TheirOpenAI, intake: Intake
) -> None:
    key = theirs.key()[1]
    intake.cell.openai.fault("500", count=None)
    tab = customer.open(given)
    tab.paste(key)
    tab.wait_for("accepted", "unknown")
    intake.cell.openai.clear_faults()

    tab.page.get_by_role("button", name="Check again").click()

    tab.wait_until_right()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["promoted", "waiting"])
def test_the_receipt_follows_what_the_promoter_decides(
    customer: Customer, intake: Intake, theirs: TheirOpenAI, state: str, language: str
) -> None:
    given, outcomes = intake.issue(language=language), render.words(language)["outcomes"]
    tab = customer.open(given)
    tab.paste(theirs.key()[1])
    tab.wait_until_right()
    tab.save.click()
    tab.wait_for_receipt()
    expect(tab.page.locator(".notice")).to_have_text(outcomes["saved"])

    given.decide(state)

    expect(tab.page.locator(".notice")).to_have_text(outcomes[state])
    assert outcomes[state] in tab.said()
    axe(tab.page)
    tab.page.reload()
    expect(tab.page.locator(".notice")).to_have_text(outcomes[state])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_the_promoter_refused_can_be_saved_again_once_it_is_mended(
    customer: Customer, intake: Intake, theirs: TheirOpenAI, language: str
) -> None:
    given, key, words = intake.issue(language=language), theirs.key()[1], render.words(language)
    tab = customer.open(given)
    tab.paste(key)
    tab.wait_until_right()
    tab.save.click()
    tab.wait_for_receipt()
    given.take("unpaid")
    said = words["refused"].replace("{reason}", words["reasons"]["unpaid"])
    refused = tab.page.locator("#refused")
    expect(refused).to_have_text(said)
    assert said in tab.said()
    axe(tab.page)
    tab.page.reload()
    expect(refused).to_have_text(said)

    tab.paste(key)
    tab.wait_until_right()
    tab.save.click()

    tab.wait_for_receipt()
    expect(tab.page.locator(".notice")).to_have_text(words["outcomes"]["saved"])
    assert given.handed_in() is not None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", ["no_link", "expired", "revoked"])
def test_a_link_that_does_not_work_says_why_and_whom_to_ask(
    customer: Customer, intake: Intake, problem: str, language: str
) -> None:
    times = {"issued": 1_700_000_000, "expires": 1_700_003_600} if problem == "expired" else {}
    given = intake.issue(language=language, **times)
    if problem == "revoked":
        given.revoke()
    if problem == "no_link":
        given.token = given.token[:-4] + ("AAAA" if given.token[-4:] != "AAAA" else "BBBB")

    tab = customer.open(given, wait=False, locale="es-MX" if language == "es" else "en-GB")

    words = render.words(language)["problems"][problem]
    expect(tab.title).to_have_text(words["title"])
    expect(tab.page.locator("main")).to_contain_text(words["text"])
    assert given.token not in tab.page.url
    axe(tab.page)


def test_the_other_language_keeps_what_was_pasted_and_found(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    key = theirs.key()[1]
    tab = customer.open(given)
    tab.paste(key)
    tab.wait_until_right()

    tab.page.get_by_role("button", name="Español").click()

    spanish = render.words("es")
    expect(tab.title).to_have_text(spanish["title"])
    assert tab.page.locator("html").get_attribute("lang") == "es"
    assert tab.field.input_value() == key
    expect(tab.row("shape")).to_contain_text(spanish["checks"]["shape"]["title"])
    expect(tab.save).to_have_text(spanish["paste"]["save"])
    tab.page.reload()
    expect(tab.title).to_have_text(spanish["title"])


def test_the_keyboard_alone_is_enough(customer: Customer, given: Given, theirs: TheirOpenAI) -> None:
    tab = customer.open(given)
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", theirs.key()[1])
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.id") == "pasted":
            break
    tab.page.keyboard.press("Control+V")
    tab.wait_until_right()
    expect(tab.save).to_be_focused()

    tab.page.keyboard.press("Enter")

    tab.wait_for_receipt()
    assert given.handed_in() is not None


def test_a_screen_reader_hears_each_finding_once(customer: Customer, given: Given, theirs: TheirOpenAI) -> None:
    tab = customer.open(given)
    tab.paste(theirs.key()[1])
    tab.wait_until_right()
    expect(tab.page.locator("#said p").last).to_have_text(render.words("en")["paste"]["good"])

    said = tab.said()
    titles = [render.words("en")["checks"][name]["title"] for name in checks.NAMES]
    assert said[0] == "Checking with OpenAI…"
    assert [text.partition(":")[0] for text in said[1:-1]] == titles
    assert len(set(said)) == len(said)


def test_a_fault_is_tied_to_the_field(customer: Customer, given: Given) -> None:
    tab = customer.open(given)
    tab.paste(ADMIN)
    tab.wait_for("shape", "bad")

    described = (tab.field.get_attribute("aria-describedby") or "").split()

    assert "why-shape" in described
    assert "Admin keys" in tab.page.locator("#why-shape").inner_text()


def test_the_steps_lead_to_the_field(customer: Customer, given: Given) -> None:
    tab = customer.open(given)
    steps = render.words("en")["steps"]
    for index, step in enumerate(steps):
        opened = tab.page.locator("#steps details[open]")
        expect(opened).to_have_count(1)
        expect(opened.locator("summary")).to_contain_text(step["title"])
        opened.get_by_role("button").click()
        assert tab.page.locator("#steps .done").count() == index + 1

    expect(tab.field).to_be_focused()
    axe(tab.page)


def test_the_models_of_the_tenant_are_named_with_price_and_openais_page(customer: Customer, given: Given) -> None:
    tab = customer.open(given)

    links = tab.page.locator("#steps a").filter(has_text=re.compile("gpt-"))

    pages = [one.get_attribute("href") for one in links.all()]
    assert pages == [f"https://developers.openai.com/api/docs/models/{model}" for model in MODELS]
    expect(links.first.locator("xpath=..")).to_contain_text("USD 0.10 for a million tokens that it reads")


def test_all_steps_opened_at_once_are_accessible(customer: Customer, given: Given) -> None:
    for scheme in ("light", "dark"):
        tab = customer.open(given, color_scheme=scheme)
        tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        axe(tab.page)


LOOKS: dict[str, dict[str, Any]] = {
    "a small telephone": {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True},
    "dark": {"color_scheme": "dark"},
    "strong contrast": {"forced_colors": "active"},
    "reduced motion": {"reduced_motion": "reduce"},
    "magnified four times": {"viewport": {"width": 320, "height": 256}},
}


@pytest.mark.parametrize(("look", "language"), list(zip(LOOKS, ["es", "en"] * 3, strict=False)))
def test_the_page_fits_and_is_accessible_however_it_is_looked_at(
    customer: Customer, intake: Intake, look: str, language: str
) -> None:
    tab = customer.open(intake.issue(language=language), **LOOKS[look])
    tab.paste(UNKNOWN)
    tab.wait_for("accepted", "bad")
    expect(tab.row("accepted")).to_be_focused()

    wide = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0, "nobody should have to scroll sideways"
    axe(tab.page)


def test_reduced_motion_moves_nothing(customer: Customer, given: Given) -> None:
    tab = customer.open(given, reduced_motion="reduce")
    tab.paste(UNKNOWN)
    tab.wait_for("accepted", "bad")

    assert tab.page.evaluate("document.getAnimations().length") == 0


def test_a_name_that_is_html_is_shown_as_text(customer: Customer, intake: Intake) -> None:
    given = intake.issue()
    hostile = '<img src=x onerror="document.title=1"> [x](https://evil.example) `**a**`'
    found = intake.person.s3.get_object(Bucket=intake.bucket, Key=given.place.link)["Body"].read().decode()
    intake.put(given.place.link, found.replace("Hotel Sol", hostile.replace('"', '\\"')))

    tab = customer.open(given)

    expect(tab.page.locator("main p").first).to_contain_text("<img src=x onerror=")
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator('a[href*="evil"]').count() == 0


def test_the_browser_lets_nothing_turn_text_into_html(chromium: Browser, customer: Customer, given: Given) -> None:
    """In a page of its own, since what is refused here is an error elsewhere."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(customer.address(given))
    expect(page.locator("#pasted")).to_be_visible()

    for sink in ("document.body.innerHTML = '<b>x</b>'", "document.write('x')", "run.text = 'ran = 1'"):
        code = f"run = document.createElement('script'); try {{ {sink}; '' }} catch (error) {{ error.name }}"
        assert page.evaluate(code) == "TypeError", sink
    page.evaluate("run.append(document.createTextNode('ran = 1')); document.body.append(run)")
    assert page.evaluate("typeof ran") == "undefined"
    context.close()


def test_without_javascript_the_page_says_so_and_the_link_is_not_spent(
    customer: Customer, given: Given, intake: Intake
) -> None:
    before = intake.state()
    tab = customer.open(given, wait=False, java_script_enabled=False)

    for language in LANGUAGES:
        expect(tab.page.get_by_text(render.words(language)["no_script"])).to_be_visible()
    assert intake.state() == before


def test_with_javascript_nothing_says_that_there_is_none(customer: Customer, given: Given) -> None:
    tab = customer.open(given)

    for language in LANGUAGES:
        assert tab.page.get_by_text(render.words(language)["no_script"]).count() == 0
