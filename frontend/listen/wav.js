// @ts-check
/** WAV bytes to samples, at once: decodeAudioData would take a turn on another thread, and resample. */

/** @typedef {import("../core/state.js").Hertz} Hertz */

/**
 * PCM of 16 or 24 bits, or 32-bit floats.
 *
 * @param {ArrayBuffer} bytes
 * @returns {{channels: Float32Array<ArrayBuffer>[], sampleRate: Hertz}}
 * @throws {RangeError} when it is not a WAV file of one of these kinds
 */
export function parseWav(bytes) {
  const view = new DataView(bytes);
  const tag = (/** @type {number} */ at) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  if (bytes.byteLength < 44 || tag(0) !== "RIFF" || tag(8) !== "WAVE")
    throw new RangeError("The server sent a sound that is not a WAV file.");
  let [format, count, sampleRate, bits] = [0, 1, 44100, 16];
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (tag(at) === "fmt ") {
      format = view.getUint16(start, true);
      count = view.getUint16(start + 2, true);
      sampleRate = view.getUint32(start + 4, true);
      bits = view.getUint16(start + 14, true);
      if (format === 0xfffe) format = view.getUint16(start + 24, true); // extensible: the real one comes later
    } else if (tag(at) === "data") {
      const length = Math.min(size, bytes.byteLength - start); // a stream may not know its own length
      return { channels: samples(bytes.slice(start, start + length), format, count, bits), sampleRate };
    }
    at = start + size + (size & 1);
  }
  throw new RangeError("The server sent a WAV file without samples.");
}

/** @param {ArrayBuffer} data @param {number} format @param {number} count @param {number} bits */
function samples(data, format, count, bits) {
  if (format === 1 && bits === 16 && count === 1) {
    // what the engine sends: a million samples a morph, on the way to the first sound
    const pcm = new Int16Array(data, 0, data.byteLength >> 1);
    const out = new Float32Array(pcm.length);
    for (let i = 0; i < pcm.length; i++) out[i] = pcm[i] / 32768;
    return [out];
  }
  const read = reader(data, format, bits);
  const frames = Math.floor(read.length / count);
  return Array.from({ length: count }, (_, channel) => {
    const out = new Float32Array(frames);
    for (let i = 0; i < frames; i++) out[i] = read.at(i * count + channel);
    return out;
  });
}

/** @param {ArrayBuffer} data @param {number} format 1: integers, 3: floats @param {number} bits */
function reader(data, format, bits) {
  if (format === 1 && bits === 16) {
    const pcm = new Int16Array(data, 0, data.byteLength >> 1);
    return { length: pcm.length, at: (/** @type {number} */ i) => pcm[i] / 32768 };
  }
  if (format === 3 && bits === 32) {
    const pcm = new Float32Array(data, 0, data.byteLength >> 2);
    return { length: pcm.length, at: (/** @type {number} */ i) => pcm[i] };
  }
  if (format === 1 && bits === 24) {
    const pcm = new Uint8Array(data);
    const at = (/** @type {number} */ i) =>
      ((pcm[3 * i] << 8) | (pcm[3 * i + 1] << 16) | (pcm[3 * i + 2] << 24)) / 2147483648;
    return { length: Math.floor(pcm.length / 3), at };
  }
  throw new RangeError(
    `The server sent a WAV file of ${bits} bits (kind ${format}); 16, 24 or 32-bit float can be read.`,
  );
}

/** @param {ArrayBuffer} bytes @returns {AudioBuffer} */
export function toAudioBuffer(bytes) {
  const { channels, sampleRate } = parseWav(bytes);
  const length = Math.max(1, channels[0].length);
  const buffer = new AudioBuffer({ length, numberOfChannels: channels.length, sampleRate });
  channels.forEach((channel, i) => buffer.copyToChannel(channel, i));
  return buffer;
}
