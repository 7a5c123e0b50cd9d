"""Metrics of 1,000 objects against public packages and a loop over objects; 10,000 objects; a volume of 512^3."""

import json
import sys
from collections.abc import Iterator

import numpy as np

from cellsynth.evaluate.segmentation import AbstractMetric, LabelPair, registry

from ._claim import Claim
from ._measure import compare, own_peak_mb, python, repeat, run
from ._peers import PEERS, seconds_and_scores

KINDS = ("average_precision", "panoptic_quality", "aggregated_jaccard", "aggregated_jaccard_plus")
WHAT = "TP/FP/FN, AP, PQ, AJI and AJI+"
VOLUME_PX, VOLUME_OBJECTS = 512, 5000


def claims() -> Iterator[Claim]:
    reference = ball_field((1000, 1000), 1000)
    prediction = np.roll(reference, (2, 1), axis=(0, 1))
    metrics = [registry.parse(kind) for kind in KINDS]
    n = len(np.unique(reference)) - 1
    yield from against_peers(reference, prediction, metrics, n)

    ours, plain = scores(reference, prediction, metrics), looped(reference, prediction)
    np.testing.assert_allclose(ours, plain)
    compared = compare(
        lambda: scores(reference, prediction, metrics), lambda: looped(reference, prediction), n_repeats=3
    )
    yield Claim(
        f"metrics: fields of 1000x1000 with {n} objects per second, {WHAT}, against a loop over objects in NumPy",
        value=1 / compared.ours_s,
        reference=1 / compared.other_s,
        ratio=compared.ratio,
        interval=compared.interval,
        target=20,
    )

    outlines = [registry.parse(kind) for kind in ("boundary_f1", "hausdorff95", "mean_surface_distance")]
    seconds, interval = repeat(lambda: scores(reference, prediction, outlines))
    yield Claim(
        f"metrics: seconds for 1000x1000 with {n} objects, boundary F1, HD95 and mean surface distance",
        seconds,
        interval,
        target=1,
        direction="at most",
    )

    large = ball_field((4096, 4096), 10_000)
    moved = np.roll(large, (3, 2), axis=(0, 1))
    seconds, interval = repeat(lambda: scores(large, moved, metrics))
    yield Claim(
        f"metrics: seconds for 4096x4096 with {len(np.unique(large)) - 1} objects, {WHAT}",
        seconds,
        interval,
        target=0.3,
        direction="at most",
    )
    del large, moved
    yield from of_a_volume()


def against_peers(
    reference: np.ndarray, prediction: np.ndarray, metrics: list[AbstractMetric], n: int
) -> Iterator[Claim]:
    """All of ours together against the part that each package has; the values must be equal."""
    ours = dict(zip(KINDS, scores(reference, prediction, metrics), strict=True))
    for peer in PEERS:
        claim = f"metrics: fields of 1000x1000 with {n} objects per second, {WHAT}, against {peer.what}"
        target = 5 if peer.package != "monai" else None  # too slow to be a rival
        if not peer.is_installed:
            sys.stderr.write(
                f'metrics: {peer.package} is not installed (pip install "cellsynth[bench]"), not compared\n'
            )
            yield Claim(claim, None, target=target)
            continue
        theirs_s, theirs = seconds_and_scores(peer, reference, prediction)
        for kind, value in theirs.items():
            np.testing.assert_allclose(ours[kind], value, rtol=peer.tolerance)
        if peer.is_slow:
            ours_s, _ = repeat(lambda: scores(reference, prediction, metrics))
            yield Claim(claim, 1 / ours_s, reference=1 / theirs_s, ratio=theirs_s / ours_s)
            continue
        function = peer.build()
        compared = compare(
            lambda: scores(reference, prediction, metrics), lambda f=function: f(reference, prediction)
        )
        yield Claim(
            claim,
            value=1 / compared.ours_s,
            reference=1 / compared.other_s,
            ratio=compared.ratio,
            interval=compared.interval,
            target=target,
        )


def of_a_volume() -> Iterator[Claim]:
    """In a process of its own, so that the memory of the rest does not count."""
    code = "from benchmarks.metrics import measure_volume; measure_volume()"
    done = json.loads(run(python("-c", code)).output.splitlines()[-1])
    what = f"{VOLUME_PX}^3 uint16 with {done['n_objects']} objects, {WHAT}"
    yield Claim(
        f"metrics: seconds for {what}",
        done["seconds"],
        target=10,
        direction="at most",
        peak_mb=done["peak_mb"],
    )
    yield Claim(
        f"metrics: largest memory of the process over that of the two volumes, {what}",
        done["peak_mb"] / done["input_mb"],
        target=3,
        direction="at most",
        peak_mb=done["peak_mb"],
    )


def measure_volume() -> None:
    """Print seconds, peak memory and the size of the input as JSON."""
    metrics = [registry.parse(kind) for kind in KINDS]
    reference = ball_field((VOLUME_PX,) * 3, VOLUME_OBJECTS, np.uint16)
    prediction = np.empty_like(reference)
    prediction[2:], prediction[:2] = reference[:-2], 0
    scores(reference[:2], prediction[:2], metrics)  # compile
    seconds, _ = repeat(lambda: scores(reference, prediction, metrics), n_repeats=3)
    found = {
        "seconds": seconds,
        "peak_mb": own_peak_mb(),
        "input_mb": (reference.nbytes + prediction.nbytes) / 1e6,
        "n_objects": int(reference.max()),
    }
    print(json.dumps(found))


def scores(reference: np.ndarray, prediction: np.ndarray, metrics: list[AbstractMetric]) -> list[float]:
    pair = LabelPair(reference, prediction)
    return [metric.score(metric.measure(pair)) for metric in metrics]


def looped(reference: np.ndarray, prediction: np.ndarray) -> list[float]:
    """The same by one mask per object of the reference, as one writes it first; no object has two good partners."""
    reference_ids, prediction_ids = np.unique(reference)[1:], np.unique(prediction)[1:]
    areas = np.bincount(prediction.ravel())
    ious = np.zeros((len(reference_ids), len(prediction_ids)))
    shared = np.zeros_like(ious)
    for i, name in enumerate(reference_ids):
        mask = reference == name
        area = mask.sum()
        for partner, n in zip(*np.unique(prediction[mask], return_counts=True), strict=True):
            if partner:
                j = np.searchsorted(prediction_ids, partner)
                shared[i, j], ious[i, j] = n, n / (area + areas[partner] - n)
    matched = ious > 0.5
    tp = int(matched.sum())
    fp, fn = len(prediction_ids) - tp, len(reference_ids) - tp
    foreground = (reference > 0).sum() + (prediction > 0).sum()
    best = ious.argmax(axis=1)
    n_shared = shared[np.arange(len(best)), best].sum()
    if len(set(best)) < len(best):
        raise AssertionError(
            "two objects have the same best partner; AJI and AJI+ would need more than this loop"
        )
    jaccard = n_shared / (foreground - n_shared)
    return [tp / (tp + fp + fn), ious[matched].sum() / (tp + (fp + fn) / 2), jaccard, jaccard]


def ball_field(shape: tuple[int, ...], n: int, dtype: type = np.int32) -> np.ndarray:
    """Labels of `n` disks or balls, or some more, on a jittered lattice; ids from 1."""
    rng = np.random.default_rng(0)
    side = int((np.prod(shape) / n) ** (1 / len(shape)))
    axes = [np.arange(side // 2, length, side) for length in shape]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    centres += rng.integers(-side // 8, side // 8 + 1, centres.shape)
    reach = int(0.45 * side)
    ball = np.indices((2 * reach + 1,) * len(shape)).reshape(len(shape), -1).T - reach
    ball = ball[(ball**2).sum(axis=1) <= reach**2]
    labels = np.zeros(shape, dtype)
    for i, centre in enumerate(centres, start=1):
        points = ball + centre
        points = points[((points >= 0) & (points < shape)).all(axis=1)]
        labels[tuple(points.T)] = i
    return labels
