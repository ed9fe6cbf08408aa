// @ts-check
/** The panel Skeleton: what every panel tells the page before it is fetched. */

import { whole, within } from "../core/url.js";

/** @type {import("../parts.js").Panel} */
export const skeleton = {
  name: "skeleton", // the folder, the word in the link
  label: "Skeleton",
  icon: "M6 6h12v12H6z", // a line in a box of 24
  key: "k",
  state: { amount: 3 }, // as a fresh page has it; its types: state.d.ts
  fields: { amount: { state: "amount", read: whole(within(1, 9)), write: String } }, // ?amount=5
  mount: async (root, parts) => (await import("./panel.js")).mount(root, parts),
};
