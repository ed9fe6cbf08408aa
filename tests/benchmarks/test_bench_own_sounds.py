"""The service with many sounds kept, beside large uploads, after many adaptations: how soon, in how much memory.

python -m pytest tests/benchmarks/test_bench_own_sounds.py -s
"""

from __future__ import annotations

import io
import json
import statistics
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_bench_server import API, Server

import sonifold
from sonifold.evaluate.measures import record
from sonifold_app.engine.answers import Neighbour, PreparedSound
from sonifold_app.engine.packs import meaning_of_points
from sonifold_app.store.sounds import NewSound, UserSoundStore

COMMAND = "python -m pytest tests/benchmarks/test_bench_own_sounds.py -s"
COUNTS = (0, 1_000, 2_000, 10_000)
TIMES = 15
UPLOADS = 20
ADAPTATIONS = 30


def keep(measure: str, value: float, unit: str, bar: str | None, n: int) -> None:
    record(measure, value, unit, bar, n, COMMAND, name="own-sounds")
    print(f"\n{measure}: {value:.4g} {unit}" + (f" (bar {bar})" if bar else ""), flush=True)


def noise(
    seconds: float, rate: int, channels: int = 1, format: str = "WAV", subtype: str = "PCM_16"
) -> bytes:
    """Hits of decaying noise, four a second, as a file; the same in each channel."""
    t = np.arange(round(seconds * rate)) / rate
    samples = 0.5 * np.random.default_rng(0).normal(size=len(t)).clip(-1, 1) * np.exp(-12 * (t % 0.25))
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, channels, subtype, format=format) as file:
        for start in range(0, len(samples), rate):  # libvorbis overflows its stack on long blocks
            file.write(np.repeat(samples[start : start + rate, None], channels, axis=1))
    return buffer.getvalue()


def file_of(samples: np.ndarray, rate: int, format: str = "FLAC", subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def post_files(server: Server, path: str, files: Sequence[tuple[str, bytes]]) -> bytes:
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    request = urllib.request.Request(
        server.url + path,
        b"".join(parts) + f"--{edge}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(float(error.headers["Retry-After"]))  # more wait than may wait


def delete(server: Server, path: str) -> None:
    urllib.request.urlopen(urllib.request.Request(server.url + path, method="DELETE")).close()


def fill(folder: Path, count: int) -> list[str]:
    """A data folder with so many sounds kept, near those of the library; their ids."""
    model = sonifold.load("oneshots")
    z, timbre = model.library.z.numpy(), model.library.timbre.numpy()
    flac = [
        file_of(model.library.audio(id, model.sound_samples).numpy(), 44_100) for id in model.library.ids[:8]
    ]
    source = np.random.default_rng(0)

    def prepared(row: int) -> PreparedSound:
        at = row % len(z)
        near = (Neighbour(id=model.library.ids[at], distance=1.0),)
        moved = z[at] + 0.1 * source.normal(size=z.shape[1]).astype(np.float32)
        audio, place = flac[row % 8], (float(source.normal()), float(source.normal()))
        return PreparedSound("x", 0.3, moved, place, True, near, timbre[at] + 0.01, audio, None, {}, ())

    kept = UserSoundStore(folder / "library")
    new = [NewSound("uploaded", f"sound {row}", prepared(row), {"file": "x"}) for row in range(count)]
    ids = [one.id for one in kept.add("oneshots", meaning_of_points(model), new)] if new else []
    kept.close()
    return ids


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    servers: list[Server] = []

    def started(count: int) -> tuple[Server, list[str]]:
        ids = fill(tmp_path / str(count), count)
        servers.append(Server(tmp_path / str(count)))
        servers[-1].wait_for("readyz")
        return servers[-1], ids

    yield started
    for server in servers:
        server.stop()


def milliseconds(ask: object, times: int = TIMES) -> list[float]:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        ask()  # type: ignore[operator]
        took.append(1000 * (time.perf_counter() - begun))
    return took


@pytest.mark.parametrize("count", COUNTS)
def test_lists_with_many_sounds_kept(start, count):
    server, _ = start(count)
    library = json.loads(server.get(f"{API}/sounds"))["id"][7]
    for what in ("sounds", f"sounds/{library}/neighbours", f"sounds/{library}/distances"):
        took = milliseconds(lambda what=what: server.get(f"{API}/{what}"))
        name = what.rpartition("/")[2]
        keep(f"{count} kept: {name}, median", statistics.median(took), "ms", None, TIMES)
    keep(f"{count} kept: reply of the list", len(server.get(f"{API}/sounds")) / 1000, "kB", None, 1)
    if count:
        first = milliseconds(lambda: server.get(f"{API}/checks", {}), 1)
        keep(f"{count} kept: first check", first[0] / 1000, "s", None, 1)
        again = milliseconds(lambda: server.get(f"{API}/checks", {}), 3)
        keep(f"{count} kept: the check again, median", statistics.median(again) / 1000, "s", None, 3)


def test_the_first_list_of_an_adapted_model(start):
    server, ids = start(1_000)
    server.get(f"{API}/sounds")
    made = json.loads(server.get(f"{API}/adaptations", {"sounds": ids[:8]}))["result"]
    (took,) = milliseconds(lambda: server.get(f"api/v1/models/{made}/sounds"), 1)
    keep("1000 kept: first list of an adapted model", took, "ms", "<= 300", 1)
    begun = time.perf_counter()
    while json.loads(server.get(f"api/v1/models/{made}/sounds"))["provisional"]:
        time.sleep(0.5)
    keep("1000 kept: all in their places after", time.perf_counter() - begun, "s", None, 1)


def test_library_sounds_beside_large_uploads(start):
    server, _ = start(0)
    ids = json.loads(server.get(f"{API}/sounds"))["id"]
    data = noise(200, 44_100)
    quiet = milliseconds(lambda: server.get(f"{API}/sounds/{ids[3]}/audio?format=wav"))
    keep("library sound as WAV, quiet, p95", statistics.quantiles(quiet, n=20)[-1], "ms", None, TIMES)
    uploads = [
        threading.Thread(target=post_files, args=(server, f"{API}/uploads", [(f"{n}.wav", data)]))
        for n in range(UPLOADS)
    ]
    for upload in uploads:
        upload.start()
    took: list[float] = []
    while any(upload.is_alive() for upload in uploads):
        path = f"{API}/sounds/{ids[len(took) % len(ids)]}/audio?format=wav"
        took += milliseconds(lambda path=path: server.get(path), 1)
        time.sleep(0.05)
    p95 = statistics.quantiles(took, n=20)[-1]
    keep("library sound as WAV beside twenty large uploads, p95", p95, "ms", "<= 50", len(took))
    keep("library sound as WAV beside twenty large uploads, most", max(took), "ms", None, len(took))


#: Seconds, rate, channels, format, subtype: each near the largest upload, the longest recording, or an odd end of both.
ODD = {
    "25 s at 384 kHz": (25, 384_000, 1, "FLAC", "PCM_24"),
    "200 s at 48 kHz": (200, 48_000, 1, "FLAC", "PCM_16"),
    "10 s at 4 kHz": (10, 4_000, 1, "WAV", "PCM_U8"),
    "80 s of 64-bit floats": (80, 96_000, 1, "WAV", "DOUBLE"),
    "100 s of 32-bit floats": (100, 96_000, 1, "WAV", "FLOAT"),
    "80 s of 32-bit integers in stereo": (80, 96_000, 2, "WAV", "PCM_32"),
    "100 s of 24 bits in stereo": (100, 96_000, 2, "AIFF", "PCM_24"),
    "220 s of 16 bits in stereo": (220, 44_100, 2, "WAV", "PCM_16"),
    "60 s of 8 channels": (60, 44_100, 8, "WAV", "PCM_24"),
    "10 s of 64 channels": (10, 44_100, 64, "WAV", "PCM_16"),
    "220 s of mu-law": (220, 44_100, 1, "AU", "ULAW"),
    "220 s of A-law": (220, 44_100, 1, "WAV", "ALAW"),
    "220 s of IMA ADPCM": (220, 44_100, 1, "WAV", "IMA_ADPCM"),
    "220 s of Ogg Vorbis in stereo": (220, 44_100, 2, "OGG", "VORBIS"),
    "200 s of Opus in stereo": (200, 48_000, 2, "OGG", "OPUS"),
    "220 s of MP3 in stereo": (220, 44_100, 2, "MP3", "MPEG_LAYER_III"),
    "200 s of CAF": (200, 48_000, 1, "CAF", "FLOAT"),
    "200 s of RF64": (200, 48_000, 1, "RF64", "PCM_24"),
    "50 s of W64 at 192 kHz": (50, 192_000, 1, "W64", "PCM_24"),
    "240 s at 8 kHz": (240, 8_000, 1, "FLAC", "PCM_S8"),
}


@pytest.mark.parametrize("kind", ODD)
def test_memory_of_one_odd_file(start, kind):
    server, _ = start(0)
    ids = json.loads(server.get(f"{API}/sounds"))["id"]
    pair = {"anchors": [{"sound": ids[0]}, {"sound": ids[9]}], "kinds": ["geodesic"], "steps": 17}
    server.get(f"{API}/morphs", pair)
    time.sleep(3)
    before = server.memory("VmRSS")
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    post_files(server, f"{API}/uploads", [("odd", noise(*ODD[kind]))])
    keep(f"memory of {kind}, most", server.memory("VmHWM") - before, "MB", "<= 150", 1)
    time.sleep(3)
    keep(f"memory of {kind}, afterwards", server.memory("VmRSS") - before, "MB", None, 1)


def test_memory_after_adapting_and_undoing(start):
    server, ids = start(100)

    def adapt(seed: int) -> None:
        asked = {"sounds": ids[:20], "seed": seed}
        made = json.loads(server.get(f"{API}/adaptations", asked))["result"]
        delete(server, f"api/v1/models/{made}")

    adapt(0)
    time.sleep(3)
    before = server.memory("VmRSS")
    for seed in range(1, ADAPTATIONS + 1):
        adapt(seed)
    time.sleep(3)
    after = server.memory("VmRSS")
    keep(
        f"memory after {ADAPTATIONS} adaptations made and undone", after - before, "MB", "<= 60", ADAPTATIONS
    )
