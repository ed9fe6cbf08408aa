import assert from "node:assert/strict";
import { test } from "node:test";
import {
  audibleSeconds,
  limiterCurve,
  LIMITER_RANGE,
  safeGain,
  stepSeconds,
} from "../../frontend/listen/level.js";
import { createMixer } from "../../frontend/listen/mixer.js";
import { createGlidePlayer } from "../../frontend/listen/glide.js";
import { createVoice } from "../../frontend/listen/voice.js";
import { parseWav } from "../../frontend/listen/wav.js";
import { createFft } from "../../frontend/core/fft.js";
import { spectrogram, strength, warped } from "../../frontend/core/spectrogram.js";
import { FakeContext } from "./fake-audio.mjs";

const RATE = 44100;
const tone = (hertz, seconds, level = 0.5) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / RATE));

function wav({ format = 1, bits = 16, channels = 1, extra = 0, write, frames }) {
  const size = (frames * channels * bits) / 8;
  const view = new DataView(new ArrayBuffer(44 + extra + size));
  const tag = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  tag(0, "RIFF");
  view.setUint32(4, 36 + extra + size, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, format, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, RATE, true);
  view.setUint16(34, bits, true);
  if (extra) {
    tag(36, "LIST");
    view.setUint32(40, extra - 8, true);
  }
  tag(36 + extra, "data");
  view.setUint32(40 + extra, size, true);
  write(view, 44 + extra);
  return view.buffer;
}

test("16-bit samples come back exactly, also behind another chunk, channel by channel", () => {
  const pcm = [
    [0, 1, -32768, 32767],
    [5, -5, 100, -100],
  ];
  for (const extra of [0, 26]) {
    const bytes = wav({
      channels: 2,
      frames: 4,
      extra,
      write: (view, at) =>
        pcm[0].forEach((_, i) =>
          pcm.forEach((channel, c) => view.setInt16(at + 4 * i + 2 * c, channel[i], true)),
        ),
    });
    const { channels, sampleRate } = parseWav(bytes);
    assert.equal(sampleRate, RATE);
    assert.deepEqual(
      channels.map((channel) => [...channel].map((x) => x * 32768)),
      pcm,
    );
  }
});

test("24-bit integers and 32-bit floats can be read", () => {
  const bytes24 = wav({
    bits: 24,
    frames: 2,
    write: (view, at) => [0, 0, 0x40, 0, 0, 0x80].forEach((byte, i) => view.setUint8(at + i, byte)),
  });
  assert.deepEqual([...parseWav(bytes24).channels[0]], [0.5, -1]);
  const floats = wav({
    format: 3,
    bits: 32,
    frames: 2,
    write: (view, at) => [0.25, -0.75].forEach((x, i) => view.setFloat32(at + 4 * i, x, true)),
  });
  assert.deepEqual([...parseWav(floats).channels[0]], [0.25, -0.75]);
});

test("what is not a WAV file is refused with a sentence", () => {
  assert.throws(() => parseWav(new ArrayBuffer(10)), /not a WAV file/);
  assert.throws(() => parseWav(new TextEncoder().encode("ID3 ".repeat(40)).buffer), /not a WAV file/);
  assert.throws(() => parseWav(wav({ bits: 8, frames: 1, write() {} })), /8 bits/);
});

test("a sound is over when it is 45 dB down", () => {
  const decay = Float32Array.from(
    { length: RATE },
    (_, i) => Math.sin(i / 3) * 10 ** ((-60 * i) / RATE / 20),
  );
  assert.ok(Math.abs(audibleSeconds(decay, RATE) - 0.75) < 0.02);
  assert.equal(audibleSeconds(new Float32Array(1000), RATE), 0);
  assert.ok(Math.abs(audibleSeconds(tone(440, 0.3), RATE) - 0.3) < 0.011);
});

test("a step is long enough to be one, and never all tail", () => {
  assert.deepEqual([0, 0.1, 0.6, 9].map(stepSeconds), [0.25, 0.25, 0.6, 1.5]);
});

test("what would startle is turned down, and nothing is ever turned up", () => {
  const loud = tone(300, 0.2, 1);
  const rms = (samples, gain) =>
    Math.sqrt(samples.reduce((sum, x) => sum + (gain * x) ** 2, 0) / samples.length);
  assert.ok(Math.abs(20 * Math.log10(rms(loud, safeGain(loud, RATE))) + 12) < 0.2);
  assert.equal(safeGain(tone(300, 0.2, 0.01), RATE), 1);
  assert.equal(safeGain(new Float32Array(100), RATE), 1);
  const click = new Float32Array(RATE);
  click[100] = 1;
  assert.ok(safeGain(click, RATE) <= 10 ** (-1 / 20) + 1e-9);
});

test("the limiter leaves sane levels alone, never turns back and never passes full scale", () => {
  const curve = limiterCurve();
  const input = (i) => ((2 * i) / (curve.length - 1) - 1) * LIMITER_RANGE;
  curve.forEach((y, i) => {
    if (Math.abs(input(i)) <= 0.8) assert.ok(Math.abs(y - input(i)) < 1e-6);
    assert.ok(Math.abs(y) <= 1);
    if (i) assert.ok(y >= curve[i - 1]);
  });
});

test("a new sound fades the one before: there is one voice", () => {
  const context = new FakeContext();
  const output = context.createGain();
  const voice = createVoice(context, output);
  const buffer = { sampleRate: RATE, getChannelData: () => tone(200, 0.1, 0.1) };
  voice.play(buffer);
  context.currentTime = 0.1;
  voice.play(buffer);
  const [first, second] = context.sources;
  context.currentTime = 0.106;
  assert.ok(context.loudness(first, output) < 0.6);
  context.currentTime = 0.115;
  assert.equal(context.loudness(first, output), 0);
  assert.equal(context.loudness(second, output), 1);
  voice.stop();
  context.currentTime = 0.13;
  assert.equal(context.loudness(second, output), 0);
});

test("glides run together, and the chosen one is heard from where the other was", () => {
  const context = new FakeContext();
  const output = context.createGain();
  const mixer = createMixer(context, output);
  const player = createGlidePlayer(context, mixer, { ended() {} });
  player.load("geodesic", { duration: 4 });
  player.play(0.25);
  context.currentTime = 1;
  player.load("linear", { duration: 4 });
  context.currentTime = 1.1;
  const [first, second] = context.sources;
  assert.ok(Math.abs(context.reading(first) - context.reading(second)) < 1e-9);
  assert.ok(Math.abs(player.position() - (0.25 + 1.09 / 4)) < 1e-9);
  mixer.choose("linear");
  context.currentTime = 1.11;
  assert.deepEqual(
    [first, second].map((source) => Math.round(context.loudness(source, output))),
    [0, 1],
  );
  player.dispose();
});

test("the fast transform is the slow one", () => {
  const frame = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * i) + (i % 7));
  const power = createFft(64)(frame, new Float32Array(33));
  for (let k = 0; k <= 32; k++) {
    let [re, im] = [0, 0];
    frame.forEach((x, i) => {
      re += x * Math.cos((2 * Math.PI * k * i) / 64);
      im -= x * Math.sin((2 * Math.PI * k * i) / 64);
    });
    assert.ok(Math.abs(power[k] - (re * re + im * im)) < 1e-3 * (1 + re * re + im * im));
  }
});

test("a tone is a line at its height, and a higher one lies higher", () => {
  const heights = [110, 440, 1760, 7040].map((hertz) => {
    const { dB, bands, columns } = spectrogram(tone(hertz, 0.5), RATE, {
      columns: 20,
      bands: 64,
      seconds: 0.4,
    });
    const column = Array.from(dB.subarray((columns >> 1) * bands, ((columns >> 1) + 1) * bands));
    const top = column.indexOf(Math.max(...column));
    const mel = (f) => 2595 * Math.log10(1 + f / 700);
    const middle = (mel(hertz) - mel(40)) / (mel(16000) - mel(40));
    assert.ok(Math.abs((top + 1) / 65 - middle) < 0.03, `${hertz} Hz at ${(top + 1) / 65}, not at ${middle}`);
    return top;
  });
  assert.deepEqual(
    [...heights].sort((p, q) => p - q),
    heights,
  );
});

test("a sound that ends is dark behind its end; the time axis is dense at the attack", () => {
  const samples = new Float32Array(RATE);
  samples.set(tone(1000, 0.1));
  const picture = spectrogram(samples, RATE, { columns: 40, bands: 40, seconds: 0.8 });
  const brightest = (x) =>
    Math.max(...Array.from({ length: 40 }, (_, j) => strength(picture, x, (j + 0.5) / 40, picture.peak)));
  assert.ok(brightest(0.1) > 0.8);
  assert.ok(brightest(0.9) < 0.02);
  assert.ok(warped(1, 40, 0.8) < 0.8 / 40 / 3);
  assert.ok(Math.abs(warped(40, 40, 0.8) - 0.8) < 1e-12);
});
