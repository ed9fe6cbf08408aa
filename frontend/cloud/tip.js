// @ts-check
/** What is pointed at in the cloud: a ring around it, and its name beside it. */

import { clamp } from "../core/colour.js";
import { h, unit } from "../core/dom.js";
import { capital, duration, lastPart } from "../core/text.js";

/** @typedef {import("./requests.js").CloudSound} CloudSound */

const REMEMBERED = 500; // names
const DWELL = 40; // ms before a name is asked for

/**
 * @param {HTMLElement} root
 * @param {import("./requests.js").CloudApi} api
 */
export function mountCloudTip(root, api) {
  const name = h("b");
  const detail = h("span");
  const hint = h("span.hint");
  const tip = h(
    "div.tip.cloud-tip",
    { hidden: true },
    h("span.what", {}, name, h("span.about", {}, detail, hint)),
  );
  const ring = h("i.cloud-ring", { hidden: true, "aria-hidden": "true" });
  root.append(ring, tip);
  /** @type {Map<number, Promise<CloudSound>>} */
  const sounds = new Map();
  let shownId = -1; // the id of the sound
  /** @type {{at: [number, number], size: {width: number, height: number}}} where the tip belongs */
  let spot = { at: [0, 0], size: { width: 0, height: 0 } };
  let timer = 0;

  /** @param {number} id */
  function soundOf(id) {
    const cached = sounds.get(id) ?? api.sound(id);
    sounds.delete(id);
    sounds.set(id, cached);
    cached.catch(() => sounds.delete(id));
    for (const old of [...sounds.keys()].slice(0, -REMEMBERED)) sounds.delete(old);
    return cached;
  }

  /** Beside the spot, as far as there is room for what the tip says. */
  function moveTip() {
    const [x, y] = spot.at;
    const { width, height } = spot.size;
    const u = unit();
    const [w, tall] = [tip.offsetWidth, tip.offsetHeight];
    const isRight = x + 20 * u + w < width - 12;
    tip.style.left = `${clamp(isRight ? x + 20 * u : x - 20 * u - w, 12, Math.max(12, width - w - 12))}px`;
    tip.style.top = `${clamp(y + 18 * u, 12, Math.max(12, height - tall - 12))}px`;
  }

  /** @param {number} id @param {string} use what a click makes of it */
  async function describe(id, use) {
    name.textContent = "…";
    detail.textContent = "";
    hint.textContent = "";
    try {
      const sound = await soundOf(id);
      if (shownId !== id) return;
      name.textContent = sound.name;
      const facts = [
        sound.family && capital(sound.family),
        sound.seconds !== null && duration(sound.seconds),
      ];
      detail.textContent = [...facts, lastPart(sound.folder)].filter(Boolean).join(", ");
      hint.textContent = use;
    } catch {
      if (shownId === id) name.textContent = "A sound of your folders";
    }
    moveTip(); // it is wider now
  }

  return {
    /**
     * Of a sound, where it is on the screen; null: of none.
     * @param {{id: number, at: [number, number], use: string, worded: boolean} | null} pointed
     * @param {{width: number, height: number}} size
     */
    show(pointed, size) {
      ring.hidden = !pointed;
      tip.hidden = !pointed?.worded;
      if (!pointed) {
        shownId = -1;
        clearTimeout(timer);
        return;
      }
      const { id, at, use, worded } = pointed;
      const [x, y] = at;
      ring.style.transform = `translate(${x}px,${y}px)`;
      if (shownId !== id && worded) {
        shownId = id;
        clearTimeout(timer);
        name.textContent = "…";
        detail.textContent = hint.textContent = "";
        timer = window.setTimeout(() => void describe(id, use), sounds.has(id) ? 0 : DWELL);
      }
      spot = { at, size };
      if (worded) moveTip();
    },
    destroy() {
      clearTimeout(timer);
      tip.remove();
      ring.remove();
    },
  };
}
