"""Two models that came with the server, as a visitor uses them: from one to the other, and what the second can do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sessions import Session, pick_two, state, wait

pytestmark = [pytest.mark.long, pytest.mark.whole_library]


def test_from_the_first_model_to_the_drums_and_their_learned_metric(visit: Session) -> None:
    page = visit.open("/?metric=pullback&n=2&beside=off")
    assert state(page, "s.model.id") == "oneshots"
    page.locator(".head").get_by_role("link", name="Drums").click()
    wait(page, "s?.model?.id === 'drums' && s.metric === 'pullback'")
    expect(page.locator(".head p").first).to_contain_text(re.compile(r"\d+ drums\."))
    pick_two(page)
    ends, before = state(page, "[s.a.sound, s.b.sound]"), state(page, "s.morph.paths.geodesic.map")

    page.locator("button.lens").click()
    page.get_by_role("radio", name="As the model learned it").check()
    wait(page, "s.morph?.phase === 'ready' && s.morph.key.endsWith('learned')")
    assert state(page, "s.morph.paths.geodesic.map") != before
    page.get_by_role("checkbox", name="Light and dark on the map").check()
    wait(page, "s.magnification?.values.length > 20")
    page.get_by_role("checkbox", name="Light and dark on the map").uncheck()
    wait(page, "s.magnification === null")
    page.keyboard.press("Escape")

    page.locator(".rail [data-panel=sample]").click()
    page.get_by_label("Where sounds are known").select_option("learned")
    page.get_by_role("button", name="Make 2").click()
    wait(page, "s.drawing?.phase === 'ready' && s.drawing.key.startsWith('hmc learned')")
    wait(page, "location.search.includes('by=learned')")

    page.reload()  # the same, from its link
    wait(page, "s?.morph?.phase === 'ready' && s.drawing?.phase === 'ready'")
    assert state(page, "[s.a.sound, s.b.sound]") == ends
    assert state(page, "[s.metric, s.volumeMetric, s.notice]") == ["learned", "learned", None]

    # the first model has both drums too, and no learned metric
    page.locator(".rail [data-panel=yours]").click()
    page.locator("[data-model=oneshots] a").first.click()
    wait(page, "s?.model?.id === 'oneshots' && s.morph?.phase === 'ready'")
    assert state(page, "[s.a.sound, s.b.sound, s.metric, s.notice]") == [*ends, None, None]
