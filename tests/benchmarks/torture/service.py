"""The same against ``sonifold serve``: three clients at once, over HTTP, with the worker that refines."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import soundfile

from sonifold.pack import CONFIG, find, read_config

API = "/api/v1/models/oneshots"
RATE = 44_100
#: How often a client does what.
SHARES = {"keep": 10, "rename": 5, "delete": 3, "upload": 2, "adapt": 1, "refine": 0.5, "import": 0.5}


class Service:
    """A server process on a data folder, and clients that write until it is killed."""

    def __init__(self, data: Path, seed: int, ledger: Any) -> None:
        environment = {
            **os.environ, "SONIFOLD_DATA": str(data), "SONIFOLD_PORT": "0", "SONIFOLD_BROWSER": "false"
        }  # fmt: skip
        command = [sys.executable, "-m", "sonifold.cli", "serve"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+/", self.process.stdout.readline())
        assert found, "the server does not start"
        self._url, self._ledger = found[0], ledger
        self.client = httpx.Client(base_url=self._url, timeout=120)
        while self.client.get("/readyz").status_code != 200 and self.client.get(API).status_code != 200:
            time.sleep(0.1)
        self._ending = threading.Event()
        self._clients = [
            threading.Thread(target=self._write, args=(random.Random(f"{seed} {number}"),), daemon=True)
            for number in range(3)
        ]

    def begin(self) -> None:
        for client in self._clients:
            client.start()

    def kill(self) -> None:
        """The server and its worker, in the middle of whatever they do."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        if self.process.returncode is not None:
            return
        for pid in (*map(int, listed.stdout.split()), self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._ending.set()
        for client in self._clients:
            if client.ident is not None:
                client.join()
        self.client.close()

    def sounds(self) -> dict[str, tuple[str, str | None]]:
        """Own sounds by id: the name, and the digest of the audio where it plays."""
        table = self.client.get(f"{API}/sounds").json()
        rows = zip(table["id"], table["name"], table["kind"], strict=True)
        return {id: (name, self._digest(id)) for id, name, kind in rows if kind == "uploaded"}

    def models(self) -> tuple[set[str], set[str]]:
        """The models that can be used, and those that cannot, once all that must be there are open."""
        deadline = time.monotonic() + 120
        while True:
            found = self.client.get("/api/v1/models").json()
            usable = {one["id"] for one in found["models"]}
            if self._ledger.models() <= usable or time.monotonic() > deadline:
                return usable, {one["id"] for one in found["unusable"]}
            time.sleep(0.5)

    def _digest(self, id: str) -> str | None:
        reply = self.client.get(f"{API}/sounds/{id}/audio", headers={"Accept": "audio/flac"})
        return hashlib.sha256(reply.content).hexdigest() if reply.status_code == 200 else None

    def _write(self, draw: random.Random) -> None:
        with (
            httpx.Client(base_url=self._url, timeout=120) as client,
            contextlib.suppress(httpx.TransportError),
        ):
            while not self._ending.is_set():
                self._turn(client, draw)

    def _turn(self, client: httpx.Client, draw: random.Random) -> None:
        (kind,) = draw.choices(list(SHARES), SHARES.values())
        mine = self._ledger.settled()
        if kind == "keep":
            self._keep(client, draw)
        elif kind == "rename" and mine:
            id, name = draw.choice(mine), f"n{draw.randrange(10**9)}"
            self._ledger.begin(kind, id=id, name=name)
            reply = self._asked(client.patch(f"{API}/sounds/{id}", json={"name": name}))
            self._ledger.end(kind, reply.status_code == 200, id=id, name=name)
        elif kind == "delete" and len(mine) > 10:
            id = draw.choice(mine)
            self._ledger.begin(kind, id=id)
            reply = self._asked(client.delete(f"{API}/sounds/{id}"))
            self._ledger.end(kind, reply.status_code == 204, id=id)
        elif kind == "upload":
            self._asked(client.post(f"{API}/uploads", files=[("files", ("u.wav", recording(draw)))]))
        elif kind == "adapt" and len(mine) > 3:
            reply = self._asked(client.post(f"{API}/adaptations", json={"sounds": draw.sample(mine, 2)}))
            if reply.status_code == 201 and draw.random() < 0.7:
                self._asked(client.delete(f"/api/v1/models/{reply.json()['result']}"))
        elif kind == "refine" and len(mine) > 3:
            asked = {"sounds": draw.sample(mine, 2), "title": "Kit"}
            reply = self._asked(client.post(f"{API}/finetunes", json=asked))
            if reply.status_code == 202 and draw.random() < 0.8:
                self._asked(client.post(f"/api/v1/jobs/{reply.json()['id']}/cancellation"))

        elif kind == "import":
            self._import(client, draw)

    def _import(self, client: httpx.Client, draw: random.Random) -> None:
        """Take a model in; of those that are there, all but one are deleted first."""
        for model in sorted(self._ledger.models())[1:]:
            self._ledger.deleting_model(model)
            if self._asked(client.delete(f"/api/v1/models/{model}")).status_code in (200, 204):
                self._ledger.end("delete model", True)
        name = f"kit-{draw.randrange(10**6)}"
        reply = self._asked(client.post("/api/v1/models", files={"file": ("kit.zip", archive(name))}))
        if reply.status_code == 201:
            self._ledger.end("import", True)
            self._ledger.model(name)

    def _keep(self, client: httpx.Client, draw: random.Random) -> None:
        reply = self._asked(client.post(f"{API}/sounds", files=[("files", ("k.wav", recording(draw)))]))
        if reply.status_code == 201:
            id = reply.json()["sounds"][0]["id"]
            self._ledger.end("keep", True, id=id, digest=None)

    def _asked(self, reply: httpx.Response) -> httpx.Response:
        self._ledger.answered(reply.status_code)
        return reply


@functools.cache
def packed_files() -> dict[str, bytes]:
    """The shipped model's files."""
    folder = find("oneshots")
    return {name: (folder / name).read_bytes() for name in [CONFIG, *read_config(folder).files]}


def archive(name: str) -> bytes:
    """The shipped model as one file, under another name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for entry, data in packed_files().items():
            renamed = json.dumps(json.loads(data) | {"name": name}).encode() if entry == CONFIG else data
            out.writestr(entry, renamed)
    return buffer.getvalue()


def recording(draw: random.Random) -> bytes:
    """A decaying tone with some noise, as a WAV file."""
    t = np.arange(round(draw.uniform(0.2, 0.6) * RATE)) / RATE
    noise = np.random.default_rng(draw.randrange(2**32)).normal(size=len(t))
    samples = (0.4 * np.sin(2 * np.pi * draw.uniform(80, 900) * t) + 0.02 * noise) * np.exp(-6 * t)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.astype(np.float32), RATE, format="WAV")
    return buffer.getvalue()
