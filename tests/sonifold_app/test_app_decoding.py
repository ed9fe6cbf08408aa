"""What strangers send is decoded in a process of its own first: it may end, and the service goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from app_checks import API, file_of, tone
from starlette.testclient import TestClient

from sonifold.errors import AudioUnreadable
from sonifold_app.app import create_app
from sonifold_app.engine.questions import Upload
from sonifold_app.settings import Settings
from sonifold_app.user.decoding import DecodingProcesses

GOOD = Upload("good.wav", file_of(tone()))
#: The real process, with a decoder that crashes, hangs or takes memory on a file of so many bytes: no file is known on
#: which those of this version do.
ENDING = """
import ctypes, sys, time
from sonifold_app.user import decoder
real = decoder.decode
def decode(data):
    if len(data) == 1: ctypes.string_at(0)
    if len(data) == 2:
        while True: pass
    if len(data) == 3: bytearray(1 << 40)
    real(data)
decoder.decode, decoder.FILE_SECONDS = decode, 1
decoder.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits of a process")
def test_a_file_that_ends_its_process_is_refused_in_words_and_the_next_is_read():
    async def scenario():
        decoding = DecodingProcesses(1, ("-c", ENDING))
        for data, reason in (
            (b"x", "ended the process"),
            (b"xx", "ended the process"),
            (b"xxx", "more memory"),
        ):
            with pytest.raises(AudioUnreadable, match=f"odd.wav .*{reason}"):
                await decoding.check(Upload("odd.wav", data))
            await decoding.check(GOOD)
        await decoding.close()
        assert not [process for process in decoding._processes if process.returncode is None]

    asyncio.run(scenario())


def test_what_is_wrong_with_a_file_is_for_the_engine_to_say():
    async def scenario():
        decoding = DecodingProcesses(1)
        for data in (b"", b"no sound", GOOD.data[:50]):
            await decoding.check(Upload("odd.wav", data))
        process = decoding._idle[0]
        os.kill(process.pid, signal.SIGKILL)  # while it waits
        await process.wait()
        await decoding.check(GOOD)
        await decoding.close()

    asyncio.run(scenario())


def test_of_an_upload_the_good_files_are_taken(tmp_path, small_engine_of, name):
    app = create_app(Settings(data=tmp_path, decoding_processes=1), small_engine_of())
    app.state.services.decoding._command = ("-c", ENDING)
    files = [
        ("files", ("odd.wav", b"x")),
        ("files", ("good.wav", GOOD.data)),
        ("files", ("bad.wav", b"no sound")),
    ]
    with TestClient(app, base_url="http://127.0.0.1") as client:
        reply = client.post(f"{API}/models/{name}/uploads", files=files)
        assert reply.status_code == 201, reply.text
        assert [file["name"] for file in reply.json()["files"]] == ["good.wav"]
        refused = {each["name"]: each["detail"] for each in reply.json()["refused"]}
        assert "ended the process" in refused["odd.wav"]
        assert "could not be read as audio" in refused["bad.wav"]
        assert (
            client.post(f"{API}/models/{name}/uploads", files=files[:1]).json()["code"] == "audio_unreadable"
        )
