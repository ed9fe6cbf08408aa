/** Frames as the service sends them, for tests. */

const encoder = new TextEncoder();

/** @param {object} header @param {Uint8Array} [payload] */
export function frame(header, payload = new Uint8Array(0)) {
  const line = encoder.encode(`${JSON.stringify({ ...header, bytes: payload.length })}\n`);
  return new Uint8Array([...line, ...payload]);
}

/** A reply whose bytes come when the test lets them. */
export function reply() {
  let controller;
  const cancelled = { yet: false };
  const body = new ReadableStream({
    start: (own) => void (controller = own),
    cancel: () => void (cancelled.yet = true),
  });
  return {
    body,
    cancelled,
    send: (...frames) => frames.forEach((each) => controller.enqueue(each)),
    close: () => controller.close(),
    fail: (error) => controller.error(error),
  };
}

/**
 * A whole morph: its paths, some of its steps, and perhaps its end.
 * @param {string[]} kinds
 * @param {(kind: string) => object} path
 */
export function morphFrames(kinds, path, steps = 17) {
  const order = [0, steps - 1, ...Array.from({ length: steps - 2 }, (_, i) => i + 1)];
  return {
    paths: frame({ frame: "paths", steps, step_samples: 10, sample_rate: 44100, paths: kinds.map(path) }),
    steps: kinds.flatMap((kind) =>
      order.map((step) => frame({ frame: "step", kind, step }, new Uint8Array([step]))),
    ),
    end: frame({
      frame: "end",
      reply: { morphs: kinds.map((kind) => ({ ...path(kind), audio: { url: `/${kind}` } })) },
    }),
  };
}

/** What plays the part of the browser's sounds. */
export const fakeSounds = {
  emptyBuffer: (samples, sampleRate) => ({
    samples,
    sampleRate,
    steps: {},
    copyToChannel({ step }, _, at) {
      this.steps[at / 10] = step;
    },
  }),
  toAudioBuffer: (bytes) =>
    typeof bytes === "string"
      ? { url: bytes }
      : { getChannelData: () => ({ step: new Uint8Array(bytes)[0] }) },
};
