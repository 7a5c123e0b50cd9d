"""Lengths as options take them: one number, or one per axis."""

from ..core.errors import InputError, RecipeError

Lengths = str | tuple[float, ...] | None


def parse_voxel(text: Lengths) -> tuple[float, ...] | None:
    """Size of a voxel that was given: one number, or one per axis.

    Raises
    ------
    RecipeError
        If it is none.
    """
    sizes = parse_lengths("--voxel-um", text)
    if sizes is not None and min(sizes) == 0:
        raise RecipeError(_no_lengths("--voxel-um", text, "a positive number"))
    return sizes


def parse_lengths(option: str, text: Lengths) -> tuple[float, ...] | None:
    """Lengths that were given: one number, or one per axis; 0 is one.

    Raises
    ------
    RecipeError
        If there are none, too many, or negative ones; names the option.
    """
    if text is None:
        return None
    try:
        lengths = tuple(float(part) for part in (text.split(",") if isinstance(text, str) else text))
    except ValueError:
        lengths = ()
    if len(lengths) not in (1, 2, 3) or not all(0 <= length < float("inf") for length in lengths):
        what = "a positive number" if option == "--voxel-um" else "a number from 0 up"
        raise RecipeError(_no_lengths(option, text, what))
    return lengths


def per_axis(
    option: str, lengths: tuple[float, ...], ndim: int, of: str = "the image has"
) -> tuple[float, ...]:
    """One length for each axis.

    Raises
    ------
    InputError
        If there are several, and not as many as axes.
    """
    if len(lengths) == ndim:
        return lengths
    if len(lengths) != 1:
        raise InputError(
            f"{option} has {len(lengths)} numbers and {of} {ndim} axes; give one, or one per axis"
        )
    return lengths * ndim


def _no_lengths(option: str, text: Lengths, what: str) -> str:
    return f"{option} is {text}; needs {what} of micrometres, or one per axis: 2,0.5,0.5"
