"""Random numbers keyed by what they belong to, never by the order of calls."""

from dataclasses import dataclass
from hashlib import blake2b
from operator import index
from typing import SupportsIndex

import numpy as np


@dataclass(frozen=True)
class Key:
    """Name of an independent random stream.

    A key is made from a seed and refined by what the numbers are for: the sample, the stage, the object or
    the tile. Equal paths give equal numbers whatever was drawn before, in whichever process.

    >>> key = Key.from_seed(0).child("labels", 3)
    >>> float(key.generator().random()) == float(Key.from_seed(0).child("labels", 3).generator().random())
    True
    """

    digest: bytes
    """16 bytes."""

    @classmethod
    def from_seed(cls, seed: SupportsIndex) -> "Key":
        """Root of all streams of one run; any integer."""
        return cls(b"\0" * 16).child("seed", seed)

    def child(self, *parts: str | SupportsIndex) -> "Key":
        """Key of a part; each further name or number refines it."""
        digest = self.digest
        for part in parts:
            # A number names the same stream whether Python or NumPy counted it.
            text = f"str:{part}" if isinstance(part, str) else f"int:{index(part)}"
            digest = blake2b(digest + text.encode(), digest_size=16).digest()
        return Key(digest)

    def generator(self) -> np.random.Generator:
        """Counter-based generator at the start of this stream."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self.digest, "little")))

    def uint64(self) -> int:
        """One number that stands for the key where a kernel needs a plain integer."""
        return int.from_bytes(self.digest[:8], "little")
