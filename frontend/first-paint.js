/* Before anything is painted: dark or light. A classic script, because modules come after the first paint. */
document.documentElement.dataset.theme =
  new URLSearchParams(location.search).get("theme") === "light" ||
  (!/[?&]theme=dark/.test(location.search) && matchMedia("(prefers-color-scheme: light)").matches)
    ? "light"
    : "dark";
