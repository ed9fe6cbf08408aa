"""What one can choose from comes from the service: a metric that no file of the page names, and names it never had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect
from profiles import Profiles
from server import ROOT, running_server
from sessions import Session, pick_two, until, until_morph_after, wait

from recipes import LABEL, NAME, backend_with_metric


@pytest.fixture
def visit_with_metric(
    browser: Browser, tmp_path: Path, small_models: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Session]:
    """Visits of a server whose backend has the metric of CONTRIBUTING.md, with the page as it is."""
    monkeypatch.setenv("PYTHONPATH", str(backend_with_metric(tmp_path)))
    (tmp_path / "frontend").symlink_to(ROOT / "frontend", target_is_directory=True)
    with running_server(MODELS=str(small_models)) as address:
        profiles = Profiles(browser, address)
        session = Session(profiles)
        yield session
        session.close()
        profiles.close()
    assert session.complaints == []


def test_a_new_metric_is_on_the_page_with_its_words_and_chooses_paths(visit_with_metric: Session) -> None:
    page = visit_with_metric.open()
    pick_two(page)
    key = page.evaluate("window.sonifold.state().morph.key")
    page.get_by_role("button", name="How the path is chosen").click()
    option = page.locator("#lens label").filter(has_text=LABEL)
    expect(option).to_contain_text("Keeps near the middle of the model, whatever is heard there. (conformal)")
    option.locator("input").check()
    until_morph_after(page, key)
    wait(page, f"s.morph.key.endsWith('{NAME}') && location.search.includes('metric={NAME}')")


def test_the_keys_of_paths_are_seen_when_they_have_their_words(visit: Session) -> None:
    page = visit.open()
    pick_two(page)
    wait(page, "location.search.includes('b=')")
    held: list[Route] = []
    page.route("**/api/v1/models", lambda route: held.append(route))
    page.reload()
    key = page.locator(".path.geo")
    key.wait_for(state="attached")
    expect(key).to_be_hidden()
    until(page, "() => window.sonifold !== undefined")
    for route in held:
        route.continue_()
    page.unroute_all()
    key.wait_for()
    expect(key).to_have_text(re.compile("^Curved"))


def test_a_link_that_names_no_metric_and_no_sampler_falls_to_the_defaults_and_says_so(visit: Session) -> None:
    page = visit.open("/?metric=round&sampler=roulette&panel=sample")
    alert = page.get_by_role("alert").filter(has_text="The link says")
    expect(alert).to_contain_text("metric=round; it can be blend, pullback, kernel or flat.")
    expect(alert).to_contain_text("sampler=roulette; it can be hmc, importance")
    wait(page, "s.metric === null && s.sampler === null")
    expect(page.locator("#lens input:checked")).to_have_value("blend")
    expect(page.locator("input[name=sampler]:checked")).to_have_value("hmc")
    pick_two(page)
    wait(page, "location.search.includes('b=') && !location.search.includes('metric')")
