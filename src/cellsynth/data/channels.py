"""Which channel of a picture holds the cells."""

import numpy as np

from ..core.errors import InputError
from ..io.header import Header

Channel = int | str | None
"""Index from 0, a name (`red`, `green`, `blue`, or one that the file has), `mean`; None to let the file decide."""

COLOURS = "several"
"""What `find_channel` answers where several channels carry signal."""

EQUAL = "equal"
"""What `find_channel` answers where all channels are the same: grey stored as colour."""


def parse_channel(channel: Channel) -> Channel:
    """Turn what a user typed into a channel: a number written as text becomes a number.

    Raises
    ------
    InputError
        If it is a negative or broken number, or empty.
    """
    if channel is None:
        return None
    text = str(channel).strip().lower()
    if text.isdigit():
        return int(text)
    if not text or text[0] in "+-.0123456789":
        raise InputError(
            f"--channel is {channel!r}; give an index from 0, red, green, blue, the name of a channel, or mean"
        )
    return text


def find_channel(header: Header, pixels: np.ndarray) -> int | str:
    """Find the one channel of a picture that carries signal.

    Parameters
    ----------
    pixels : (Y, X, S) or (C, Y, X)

    Returns
    -------
    channel
        `EQUAL` where all channels are the same, the index of the only one that is not constant, or `COLOURS`
        where several carry signal.

    Raises
    ------
    InputError
        If every channel is constant, or if parts are transparent.
    """
    planes, alpha = _planes(header, pixels)
    if alpha is not None and alpha.min() != alpha.max():
        raise InputError(
            f"{header.path}: is transparent in parts; flatten it, or pass the channel to take (--channel 0 to "
            f"{len(planes) - 1}), and transparency is left out"
        )
    if all(np.array_equal(planes[0], plane) for plane in planes[1:]):
        return EQUAL
    varying = [i for i, plane in enumerate(planes) if plane.min() != plane.max()]
    if not varying:
        raise InputError(
            f"{header.path}: all {len(planes)} channels are constant; there is nothing to see in it"
        )
    return varying[0] if len(varying) == 1 else COLOURS


def check_channel(header: Header, channel: int | str) -> None:
    """Refuse a channel that the file does not have.

    Raises
    ------
    InputError
        Lists the channels that there are.
    """
    n = n_channels(header)
    if channel == "mean" or (isinstance(channel, int) and channel < n):
        return
    names = [name.lower() for name in header.channel_names]
    if channel not in names:
        listed = f" ({', '.join(names)})" if names else ""
        raise InputError(
            f"{header.path}: has no channel {channel!r}; it has {n}, 0 to {n - 1}{listed}, and `mean` of them"
        )


def take_channel(header: Header, pixels: np.ndarray, channel: int | str) -> np.ndarray:
    """Take one channel, or the mean of all.

    Returns
    -------
    plane : (Y, X)
        Of the type of `pixels`; `mean` is float32 in the same range. Transparency is left out.
    """
    planes, _ = _planes(header, pixels)
    if channel == "mean":
        return np.asarray(np.mean(np.stack(planes), axis=0, dtype=np.float32))
    if channel == EQUAL:
        channel = 0
    if isinstance(channel, str):
        channel = [name.lower() for name in header.channel_names].index(channel)
    return planes[channel]


def n_channels(header: Header) -> int:
    """Channels of a picture, without transparency."""
    if header.axes == "YXS":
        return {2: 1, 4: 3}.get(header.shape[2], header.shape[2])
    return header.shape[0]


def _planes(header: Header, pixels: np.ndarray) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Channels one by one, and the transparency where there is one."""
    n = n_channels(header)
    if header.axes == "YXS":
        planes = [pixels[..., i] for i in range(n)]
        return planes, pixels[..., n] if pixels.shape[2] > n else None
    return list(pixels), None
