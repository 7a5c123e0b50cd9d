"""What values images can have: given, or known from their files; never taken from the values themselves."""

from typing import TYPE_CHECKING

from ...core.errors import InputError, RecipeError

if TYPE_CHECKING:
    from ...data.pictures import Pictures


def parse_range(text: str | float | tuple[float, float] | None) -> tuple[float, float] | None:
    """Lowest and highest value of an option: `4095`, or `-1,1`.

    Raises
    ------
    RecipeError
        If it is none.
    """
    if text is None:
        return None
    parts = text.split(",") if isinstance(text, str) else text if isinstance(text, tuple) else (text,)
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    low, high = (0.0, values[0]) if len(values) == 1 else values if len(values) == 2 else (0.0, 0.0)
    if not -float("inf") < low < high < float("inf"):
        raise RecipeError(
            f"--data-range is {text}; needs the largest value that there can be, or lowest,highest: 4095 or -1,1"
        )
    return low, high


def range_of(given: tuple[float, float] | None, *sides: "Pictures") -> tuple[float, float]:
    """The range that was given, else what the files of all sides say.

    Raises
    ------
    InputError
        If they say nothing, or not the same.
    """
    if given is not None:
        return given
    known = {side.largest for side in sides}
    largest = known.pop() if len(known) == 1 else None
    if largest is None:
        kinds = sorted({header.dtype.name for side in sides for header in side.headers.values()})
        raise InputError(
            f"{' and '.join(str(side.source) for side in sides)}: images are {', '.join(kinds)}, which does not say "
            "what the largest value can be; give it: --data-range 65535, 4095 for a camera of 12 bit, 1 for floats in "
            "0 to 1"
        )
    return 0.0, float(largest)
