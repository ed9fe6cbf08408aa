#!/bin/sh
# Opus in Ogg is whole in Chromium; the same sound in WebM has lost its first 24 samples, in MP4 its first 312.
#
# Expected: the container does not change the sound. Each of the three says how many samples the encoder put before it (312 at 48 kHz), and
# decodeAudioData leaves out just those; FFmpeg (PyAV 18.1.0) begins at the right sample in all three.
# Seen (Chromium 156, headless, Linux; files by PyAV 18.1.0 with libopus): decodeAudioData of the Ogg file gives 48,000 samples for 48,000, in place.
# Of the WebM it gives 47,976: the first 24 samples (0.5 ms) of the sound are missing. WebM counts packets in whole milliseconds, and 312 samples
# are 6.5. Of the MP4 it gives 48,336: the first 312 samples of the sound are missing, as if the pre-skip was taken off twice, once for the
# Opus header and once for the edit list, and 648 samples of what the encoder put behind the end are there.
# A way round: Ogg, FLAC or WAV where layers must start together.
# Needs: a chromium on PATH (or its path in CHROMIUM).
set -eu
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 playwright==1.65.2
"$folder/venv/bin/python" - "$chromium" <<'PYTHON'
import base64
import io
import sys
from fractions import Fraction

import av
import numpy as np
from playwright.sync_api import sync_playwright

RATE = COUNT = 48000
CHUNK = slice(20_000, 24_000)
sound = np.convolve(np.random.default_rng(0).standard_normal(COUNT), np.ones(8) / 8, "same") * 0.2
DECODE = """async ([content, rate]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.buffer);
  return Array.from(buffer.getChannelData(0));
}"""


def encoded(container):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream("libopus", rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=RATE)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def by_ffmpeg(content):
    with av.open(io.BytesIO(content)) as container:
        return np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])


def lateness(samples):
    """How many samples of the beginning are missing: where the sound's own piece is found, against where it was."""
    scores = np.correlate(samples[CHUNK.start - 3000 : CHUNK.stop + 3000], sound[CHUNK], "valid")
    return 3000 - int(np.argmax(scores))


seen = {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox"])
    print("Chromium", browser.version, "PyAV", av.__version__)
    page = browser.new_page()
    for container in ("ogg", "webm", "mp4"):
        content = encoded(container)
        ffmpeg = by_ffmpeg(content)
        chromium = np.array(page.evaluate(DECODE, [base64.b64encode(content).decode(), RATE]))
        seen[container] = lateness(ffmpeg), len(chromium), lateness(chromium)
        print(
            f"{container}: {COUNT} samples written; Chromium has {len(chromium)}, of whose beginning {lateness(chromium)} are missing;"
            f" FFmpeg {len(ffmpeg)}, {lateness(ffmpeg)} missing"
        )
    browser.close()
as_described = seen == {"ogg": (0, 48_000, 0), "webm": (0, 47_976, 24), "mp4": (0, 48_336, 312)}
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
