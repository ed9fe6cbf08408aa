// @ts-check
/** Dark or light: as the link says, else as the system has it. */

import { watch } from "../core/store.js";

/** @param {HTMLElement} root @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function followTheme(root, store) {
  const system = matchMedia("(prefers-color-scheme: light)");
  const apply = () => {
    const theme = store.get().theme ?? (system.matches ? "light" : "dark");
    root.dataset.theme = theme;
    document
      .querySelector("meta[name=theme-color]")
      ?.setAttribute("content", theme === "dark" ? "#111419" : "#f3f0e9");
    store.set({ dark: theme === "dark" });
  };
  const stop = watch(store, ({ theme }) => [theme], apply);
  system.addEventListener("change", apply);
  return {
    destroy() {
      stop();
      system.removeEventListener("change", apply);
    },
  };
}
