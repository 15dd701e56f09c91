// Looks for the number of a puzzle in ALTCHA's format. The browser hashes beside the page's thread; a worker
// of our own would be from elsewhere to the page, and few content policies let one start.

const TOGETHER = 200;

export const canCompute = () => Boolean(globalThis.crypto?.subtle);

export async function solve({ algorithm, challenge, salt, signature, maxnumber }) {
  const text = new TextEncoder();
  const hex = (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  for (let first = 0; first <= maxnumber; first += TOGETHER) {
    const numbers = Array.from({ length: TOGETHER }, (_, each) => first + each);
    const digests = await Promise.all(numbers.map((number) => crypto.subtle.digest(algorithm, text.encode(salt + number))));
    const found = digests.findIndex((digest) => hex(digest) === challenge);
    if (found >= 0) return btoa(JSON.stringify({ algorithm, challenge, number: numbers[found], salt, signature }));
  }
  throw new Error("no number");
}
