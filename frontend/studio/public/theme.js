// Before the first paint, so that the page never flashes in the other theme.
(() => {
  let wish = null;
  try {
    wish = localStorage.getItem("darkroom.theme");
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  const dark =
    wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
