"""Sealed boxes of libsodium: anyone can seal with the public key, only its holder can open."""

import base64

from nacl.public import PublicKey, SealedBox

from contracts.events import Sealed, SealingKey


class SodiumSealer:
    def __init__(self) -> None:
        self._boxes: dict[str, SealedBox[PublicKey]] = {}

    def seal(self, key: SealingKey, content: bytes) -> Sealed:
        box = self._boxes.get(key.public_key)
        if box is None:
            public = PublicKey(base64.b64decode(key.public_key, validate=True))
            box = self._boxes[key.public_key] = SealedBox(public)
        return Sealed(key_id=key.key_id, box=base64.b64encode(box.encrypt(content)).decode())
