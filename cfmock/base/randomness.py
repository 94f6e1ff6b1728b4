"""All chance, from one source that can be seeded: with one seed the same calls get the same ids. Never for secrets."""

from __future__ import annotations

import hashlib
import random


class Ids:
    """The source of everything random. `seed` None: a different sequence each time."""

    def __init__(self, seed: int | str | None = None) -> None:
        self.random = random.Random(seed)
        self._bits = self._request_bits = self.random.getrandbits
        self._seed = seed
        self._key: bytes | None = None

    def seed(self, seed: int | str | None) -> None:
        """Begin again, as a new source with this seed does."""
        self.random.seed(seed)
        self._seed, self._key = seed, None

    def uuid(self) -> str:
        """Return a random UUID, lower case."""
        h = f"{self._bits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def request_id(self) -> str:
        """Upper-case UUID, as the API pages of 2025 show them."""
        h = f"{self._request_bits(128):032X}"
        return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-A{h[17:20]}-{h[20:]}"

    def execution_name(self) -> str:
        """Return the name of an execution started without one: a UUID (published answers), made to fit the name pattern."""
        name = self.uuid()
        # Names begin with a letter or "_", so a leading digit becomes a letter.
        return name if name[0] > "9" else "abcdefabcd"[int(name[0])] + name[1:]

    def seal(self, text: str) -> bytes:
        """Twenty bytes, the size of the seal in a published task token: the same for the same text, and no other source's."""
        if self._key is None:
            # From a source of its own: who needs no seal gets the same ids.
            own = random.Random(None if self._seed is None else f"seal {self._seed}")
            self._key = own.randbytes(32)
        return hashlib.blake2b(text.encode(), digest_size=20, key=self._key).digest()

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return self.random.randint(low, high)
