// @ts-check
/** A radix-2 FFT for real frames: enough for pictures of sound. */

/** @param {number} size a power of two */
export function createFft(size) {
  const cosine = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sine = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / size));
  const reversed = new Uint32Array(size);
  for (let i = 0; i < size; i++) reversed[i] = (reversed[i >> 1] >> 1) | (i & 1 ? size >> 1 : 0);
  const re = new Float64Array(size);
  const im = new Float64Array(size);

  /**
   * @param {Float32Array} frame at most `size` samples; the rest counts as silence
   * @param {Float32Array} out size / 2 + 1 powers
   */
  return function power(frame, out) {
    for (let i = 0; i < size; i++) {
      re[i] = frame[reversed[i]] ?? 0;
      im[i] = 0;
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half)
        for (let k = 0; k < half; k++) {
          const [p, q] = [start + k, start + k + half];
          const [c, s] = [cosine[k * stride], sine[k * stride]];
          const u = re[q] * c + im[q] * s;
          const v = im[q] * c - re[q] * s;
          re[q] = re[p] - u;
          im[q] = im[p] - v;
          re[p] += u;
          im[p] += v;
        }
    }
    for (let k = 0; k <= size / 2; k++) out[k] = re[k] * re[k] + im[k] * im[k];
    return out;
  };
}
