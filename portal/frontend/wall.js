// Keeps the screen of a wall awake, where the browser lets a page do that.

const stay = async () => {
  if (document.visibilityState !== "visible") return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // Refused, on low battery for one: asked again when the page is next seen.
  }
};
document.addEventListener("visibilitychange", stay);
stay();
