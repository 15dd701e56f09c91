// Looks for the number of a puzzle in ALTCHA's format, off the page's thread.

onmessage = async ({ data: puzzle }) => {
  const text = new TextEncoder();
  const wanted = Uint8Array.from(puzzle.challenge.match(/../g), (pair) => parseInt(pair, 16));
  for (let number = 0; number <= puzzle.maxnumber; number += 1) {
    const digest = new Uint8Array(await crypto.subtle.digest(puzzle.algorithm, text.encode(puzzle.salt + number)));
    if (digest.every((byte, place) => byte === wanted[place])) {
      const { algorithm, challenge, salt, signature } = puzzle;
      return postMessage(btoa(JSON.stringify({ algorithm, challenge, number, salt, signature })));
    }
  }
  postMessage(null);
};
