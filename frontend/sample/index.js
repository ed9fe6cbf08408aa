// @ts-check
/** The panel New sounds: samples of the latent space. */

import { onOff, whole, within } from "../core/url.js";

const SEEDS = 2 ** 31 - 1;

/** @type {import("../parts.js").Panel} */
export const sample = {
  name: "sample",
  label: "New sounds",
  brief: "New",
  icon:
    "M9.8 12a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0 -4.4 0" +
    "M4.1 7a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0" +
    "M16.6 5.5a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0" +
    "M17.1 16.5a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0" +
    "M5.6 18a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0",
  key: "p",
  state: {
    sampler: null,
    volumeMetric: null,
    count: 16,
    temperature: 1,
    seed: null,
    beside: true,
    drawing: null,
  },
  fields: {
    sampler: {
      state: "sampler",
      read: String,
      write: String,
      offered: ({ model }) => model?.samplers?.map(({ id }) => id) ?? [],
    },
    by: {
      state: "volumeMetric",
      read: String,
      write: String,
      offered: ({ model }) => model?.volume_metrics ?? [],
    },
    n: { state: "count", read: whole(within(1, 64)), write: String },
    temp: { state: "temperature", read: within(0.1, 2), write: (value) => String(+value.toFixed(2)) },
    seed: { state: "seed", read: whole(within(0, SEEDS)), write: String },
    beside: { state: "beside", ...onOff },
  },
  needed: ({ seed }) => seed !== null,
  mount: async (root, parts) => (await import("./panel.js")).mount(root, parts),
};
