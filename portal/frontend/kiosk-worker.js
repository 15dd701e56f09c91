// The service worker of a screen at a desk: where the portal cannot be reached, the page that keeps ratings.
// It never answers for what the portal itself answered, and keeps no answer of its own.

const CACHE = "kiosk";
const PAGE = "/kiosk/khi-mat-mang";
const SENDING = /\/xu-ly$/;
const GONE = new Set([502, 503, 504]);
const [PAGE_MS, SENDING_MS] = [10_000, 40_000];

const within = (milliseconds, answer) =>
  Promise.race([answer, new Promise((_, reject) => setTimeout(reject, milliseconds, new Error("no answer")))]);

const kept = async (address) => (await caches.open(CACHE)).match(address, { ignoreVary: true });

// Not a screen any more: an ordinary browser keeps nothing. What waits to be sent stays for when it is one again.
const gone = async () => {
  await caches.delete(CACHE);
  await registration.unregister();
};

const page = async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const sending = SENDING.test(pathname);
  let answer;
  try {
    answer = await within(sending ? SENDING_MS : PAGE_MS, fetch(request));
    if (answer.headers.get("Hailong-Screen") === "none") await gone();
    if (sending || !GONE.has(answer.status)) return answer; // while it is sent, the portal says how it stands
  } catch {
    // Below.
  }
  const language = searchParams.get("lang") === "en" ? "en" : "vi";
  return (await kept(`${PAGE}?lang=${language}`)) ?? answer ?? Response.error();
};

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (request.method === "GET" && new URL(request.url).pathname.startsWith("/static/")) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  }
});
