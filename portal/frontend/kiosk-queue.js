// What a screen keeps until it can send it: ratings, each in a box that only the portal can open, and the
// addresses of ratings that were being sent when the network went away. docs/decisions/0031 says why.

export const SENDING = "/xu-ly";
const [NAME, RATINGS, UNFINISHED] = ["kiosk", "ratings", "unfinished"];
const PADDED = 2048; // so that the size of a box does not tell what is in it
const SEND_MS = 20_000;
const MOST = 500;
const DONE = new Set([202, 422]); // taken, or refused for good

const finished = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const opened = () => {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(RATINGS, { autoIncrement: true });
    request.result.createObjectStore(UNFINISHED);
  };
  return finished(request);
};

// On the disk before it resolves: the screen may lose its power in the next moment.
const changed = async (store, change) => {
  const database = await opened();
  try {
    const transaction = database.transaction(store, "readwrite", { durability: "strict" });
    change(transaction.objectStore(store));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
};

const keysOf = async (store) => {
  const database = await opened();
  try {
    return await finished(database.transaction(store).objectStore(store).getAllKeys());
  } finally {
    database.close();
  }
};

const boxOf = async (key) => {
  const database = await opened();
  try {
    return await finished(database.transaction(RATINGS).objectStore(RATINGS).get(key));
  } finally {
    database.close();
  }
};

const fromBase64 = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const toBase64 = (bytes) => btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(""));
const joined = (...parts) => {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all;
};

// As portal/kept.py opens it. The private half of the pair is gone with this function.
export const closed = async (rating, boxes) => {
  const { subtle } = crypto;
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const theirs = fromBase64(boxes);
  const pair = await subtle.generateKey(curve, false, ["deriveBits"]);
  const ours = await subtle.exportKey("raw", pair.publicKey);
  const shared = await subtle.deriveBits(
    { name: "ECDH", public: await subtle.importKey("raw", theirs, curve, false, []) }, pair.privateKey, 256,
  );
  const key = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: joined(ours, theirs), info: new TextEncoder().encode("hailong kept rating 1") },
    await subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]),
    { name: "AES-GCM", length: 256 }, false, ["encrypt"],
  );
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const content = new TextEncoder().encode(JSON.stringify(rating));
  const length = Math.ceil(content.length / PADDED) * PADDED;
  const padded = joined(content, new Uint8Array(length - content.length).fill(0x20));
  return toBase64(joined(ours, nonce, await subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, padded)));
};

export const add = async (rating, boxes) => {
  const box = await closed(rating, boxes);
  await changed(RATINGS, (store) => store.add(box));
};

export const addUnfinished = (path) => changed(UNFINISHED, (store) => store.put(true, path));

export const waiting = async () => (await keysOf(RATINGS)).length + (await keysOf(UNFINISHED)).length;

export const isFull = async () => (await keysOf(RATINGS)).length >= MOST;

export const newKey = () => toBase64(crypto.getRandomValues(new Uint8Array(24))).replaceAll("+", "-").replaceAll("/", "_");

let notBefore = 0;

// One after the other, the oldest first, in one window at a time. Stops at the first that is to be sent later.
const sent = async () => {
  for (const path of await keysOf(UNFINISHED)) {
    const answer = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(2 * SEND_MS) });
    const told = answer.ok ? await answer.json() : {};
    if (!told.location) continue; // not decided yet: others need not wait for it
    await changed(UNFINISHED, (store) => store.delete(path));
  }
  for (const key of await keysOf(RATINGS)) {
    const body = JSON.stringify({ box: await boxOf(key), screen: Date.now() });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/kiosk/gui", { method: "POST", headers, body, signal: AbortSignal.timeout(SEND_MS) });
    if (!DONE.has(answer.status)) {
      notBefore = performance.now() + 1000 * Number(answer.headers.get("Retry-After") ?? 0);
      return;
    }
    await changed(RATINGS, (store) => store.delete(key));
  }
};

export const drain = async () => {
  if (!navigator.locks || performance.now() < notBefore || !(await waiting())) return;
  await navigator.locks.request("kiosk-queue", async () => {
    try {
      await sent();
    } catch {
      // No network: again later.
    }
  });
};
