"""Models that learned from own sounds: watched, heard, named, taken along and brought back; cut off in the middle."""

from __future__ import annotations

import os
import re
import signal
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from recordings import pick, remove_all
from server import workers
from sessions import ADAPTED, state, until, until_heard, wait

from small_packs import SOUNDS

pytestmark = pytest.mark.long


def test_a_refined_model_is_heard_named_taken_along_and_brought_back(
    page: Page, bars: list[Path], tmp_path: Path
) -> None:
    pick(page, bars)
    wait(page, ADAPTED)
    page.get_by_role("button", name="Fine-tune on these 4 sounds").click()
    wait(page, "s.job?.curve.some(({phase}) => phase === 'final') && s.job.previews")
    expect(page.locator(".rail .busy")).to_be_visible()
    wait(page, "s.job.progress?.eta > 0 && s.job.progress.best_step > 0")
    for take in ("Original model", "Step", "Your recording"):
        page.locator(".run").get_by_role("button", name=f"Play: {take}").click()
        until_heard(page)
    until(page, "() => ['done', 'failed'].includes(window.sonifold.state().job.phase)", timeout=240_000)
    assert state(page, "s.job.error") is None
    expect(page.locator(".run [role=status]")).to_contain_text(state(page, "s.job.why"))
    expect(page.locator(".rail .busy")).to_be_hidden()
    page.get_by_role("link", name="Open the new model").click()
    wait(page, "s?.model?.kind === 'finetuned' && s.library")
    base, made = state(page, "[s.model.base, s.model.id]")
    assert sorted(state(page, "l.name.filter((_, i) => l.kindOf(i) === 'finetuned')")) == sorted(
        path.stem for path in bars
    )
    until(page, "() => document.querySelector('.over .own')?.textContent === 'your 4 sounds'")
    page.locator("summary", has_text="Hear what changed").click()
    for take in ("Original model", "With your sounds", "Your recording"):
        page.locator(".adapted").get_by_role("button", name=f"Play: {take}").click()
        until_heard(page)

    row = page.locator(f"[data-model='{made}']")
    expect(row).to_have_text(re.compile(r"fine-tuned from .*, \d+(\.\d)? MB"))
    row.get_by_role("button", name="Rename").click()
    page.get_by_label("New name of").fill("My bars")
    page.keyboard.press("Enter")
    wait(page, "s.model.title === 'My bars'")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download My bars").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"{made}.sonifold.zip"
    assert any(name.endswith("pack.json") for name in zipfile.ZipFile(file).namelist())

    row.get_by_role("button", name="Delete My bars").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("cannot be brought back")
    notice.get_by_role("button", name="Delete", exact=True).click()
    wait(page, f"s?.model?.id === '{base}' && s.library")
    assert state(page, "s.models.map(({kind}) => kind)").count("finetuned") == 0
    page.get_by_label("Model file").set_input_files(file)
    wait(page, "s.models.some(({kind}) => kind === 'imported')")
    expect(page.locator(".models")).to_contain_text("My bars")
    page.get_by_role("link", name=re.compile(r"My bars\s*imported")).click()
    wait(page, "s?.model?.kind === 'imported' && s.library")
    assert state(page, "l.count") == SOUNDS + 4
    page.get_by_role("button", name="Delete My bars").click()
    notice.get_by_role("button", name="Delete", exact=True).click()
    wait(page, f"s?.model?.id === '{base}' && s.library")
    remove_all(page)


def test_a_job_whose_worker_is_killed_goes_on_and_the_page_says_so(
    page: Page, bars: list[Path], short_library: tuple[str, int]
) -> None:
    _, server = short_library
    pick(page, bars)
    wait(page, ADAPTED)
    page.get_by_role("button", name="Fine-tune on these 4 sounds").click()
    wait(page, "s.job?.curve.length > 1")
    for worker in workers(server):
        os.kill(worker, signal.SIGKILL)
    wait(page, "s.job.attempts === 2 && s.job.from !== null")
    expect(page.locator(".run")).to_contain_text("It was interrupted once and went on at step")
    page.goto(page.url)  # told from its beginning
    wait(page, "s.job?.attempts === 2 && s.job.from !== null && s.job.sounds.length === 4")
    page.get_by_role("button", name="Cancel").click()
    wait(page, "['cancelled', 'done'].includes(s.job.phase)")
    assert state(page, "l.kind.filter((kind) => kind === 'uploaded').length") == 4
    remove_all(page)
