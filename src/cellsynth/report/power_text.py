"""How many images would tell methods apart, in words."""

from .run_folder import Benchmark
from .words import is_number, metric_name, number, percent, plural, score


def power_sentences(run: Benchmark, origin: str) -> list[str]:
    """Say how many images show a small difference, and which difference these images show; empty where unknown."""
    power = (run.results.get("power") or {}).get(origin)
    if not power:
        return []
    first, second = power["methods"]
    n, needed, least = power["n_images"], power["n_images_needed"], power["smallest_difference"]
    name, small, chance = metric_name(run.metric), score(power["difference"]), percent(power["power"])
    at_least = "more than " if power["is_capped"] else "about "
    said = [
        f"To tell {first} from {second} where they truly differ by {small} in {name}, {at_least}"
        f"{number(needed, 6)} images would be needed: so many show the difference with a chance of {chance} "
        "(signed-rank test at 5\N{NO-BREAK SPACE}%)."
    ]
    if is_number(least):
        said.append(
            f"The {plural(n, 'image')} of this run show a difference of {score(least, 3)} or more with that chance; a "
            "smaller one they may well miss, so not finding it does not make the two equal."
        )
    else:
        said.append(
            f"The {plural(n, 'image')} of this run cannot show a difference of any size by that test."
        )
    return said
