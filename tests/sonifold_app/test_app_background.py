"""What runs in the background while the storage fails: it goes on, and says so in a sentence, once."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from sonifold_app.jobs import background
from sonifold_app.jobs.background import Background
from sonifold_app.store.data_folder import DataFolder


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(background, "FIRST_WAIT_SECONDS", 0.001)


def run_turns(count, step):
    """A loop whose turns call ``step`` with their number, until so many have begun."""

    async def loop():
        turns, enough = iter(range(count)), asyncio.Event()

        async def turn():
            number = next(turns, None)
            if number is None:
                enough.set()
                await asyncio.sleep(60)
            step(number)

        running = Background("counting", turn)
        running.start()
        await enough.wait()
        await running.close()

    asyncio.run(loop())


def test_a_data_folder_that_is_gone_is_logged_as_one_sentence_and_so_is_its_return(tmp_path, caplog):
    folder = DataFolder(tmp_path / "data")

    def step(number):
        if number == 0:
            (tmp_path / "data").rename(tmp_path / "away")
        if number == 8:
            (tmp_path / "away").rename(tmp_path / "data")
        folder.require_folder()

    run_turns(10, step)
    folder.release()
    failed, passed = caplog.records
    assert "the data folder is gone; put it back" in failed.getMessage()
    assert failed.exc_info is None
    assert "goes on" in passed.getMessage()


def test_another_failure_is_logged_though_one_is_already_known(tmp_path, caplog):
    folder = DataFolder(tmp_path / "data")

    def step(number):
        if number == 0:
            shutil.rmtree(tmp_path / "data")
        if number == 3:
            (tmp_path / "data").mkdir()
        folder.require_folder()

    run_turns(6, step)
    messages = [record.getMessage() for record in caplog.records]
    assert [("gone" in message, "replaced" in message) for message in messages] == [
        (True, False),
        (False, True),
    ]


def test_a_mistake_of_ours_is_logged_with_where_it_came_from_and_again_after_a_while(caplog, monkeypatch):
    monkeypatch.setattr(background, "LOG_AGAIN_SECONDS", 0.0)

    def step(number):
        raise KeyError(number)

    run_turns(3, step)
    assert len(caplog.records) == 3
    assert all(record.exc_info for record in caplog.records)
