"""Every metric by its formula, one mask per object: slow, plain, and independent of the package."""

import itertools
import math

import numpy as np
from scipy.optimize import linear_sum_assignment


def masks(labels):
    return [labels == i for i in np.unique(labels) if i > 0]


def iou_matrix(reference, prediction):
    a, b = masks(reference), masks(prediction)
    ious = np.zeros((len(a), len(b)))
    for (i, x), (j, y) in itertools.product(enumerate(a), enumerate(b)):
        ious[i, j] = np.logical_and(x, y).sum() / np.logical_or(x, y).sum()
    return ious


def matched(reference, prediction, iou, *, is_strict=False):
    """Numbers matched, unmatched and the summed IoU, by one dense assignment."""
    ious = iou_matrix(reference, prediction)
    possible = ious > iou if is_strict else ious >= iou
    gain = np.where(possible, 1 + ious / (2 * max(min(ious.shape), 1)), 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    chosen = possible[rows, columns]
    tp = int(chosen.sum())
    return tp, ious.shape[1] - tp, ious.shape[0] - tp, float(ious[rows, columns][chosen].sum())


def divided(a, b):
    return a / b if b else math.nan


def average_precision(reference, prediction, iou=0.5):
    tp, fp, fn, _ = matched(reference, prediction, iou)
    return divided(tp, tp + fp + fn)


def mean_average_precision(reference, prediction):
    return float(np.mean([average_precision(reference, prediction, t / 100) for t in range(50, 100, 5)]))


def f1(reference, prediction, iou=0.5):
    tp, fp, fn, _ = matched(reference, prediction, iou)
    return divided(tp, tp + (fp + fn) / 2)


def precision(reference, prediction, iou=0.5):
    tp, fp, _, _ = matched(reference, prediction, iou)
    return divided(tp, tp + fp)


def recall(reference, prediction, iou=0.5):
    tp, _, fn, _ = matched(reference, prediction, iou)
    return divided(tp, tp + fn)


def panoptic_quality(reference, prediction):
    tp, fp, fn, iou_sum = matched(reference, prediction, 0.5, is_strict=True)
    return divided(iou_sum, tp + (fp + fn) / 2)


def detection_quality(reference, prediction):
    tp, fp, fn, _ = matched(reference, prediction, 0.5, is_strict=True)
    return divided(tp, tp + (fp + fn) / 2)


def segmentation_quality(reference, prediction):
    tp, _, _, iou_sum = matched(reference, prediction, 0.5, is_strict=True)
    return divided(iou_sum, tp)


def dice(reference, prediction):
    a, b = reference > 0, prediction > 0
    return divided(2 * (a & b).sum(), a.sum() + b.sum())


def count_error(reference, prediction):
    n, m = len(masks(reference)), len(masks(prediction))
    return divided(abs(m - n), n)


def aggregated_jaccard(reference, prediction):
    a, b = masks(reference), masks(prediction)
    ious = iou_matrix(reference, prediction)
    shared, union, used = 0, 0, set()
    for i, x in enumerate(a):
        j = int(ious[i].argmax()) if len(b) else 0
        if len(b) and ious[i, j] > 0:
            shared += (x & b[j]).sum()
            union += (x | b[j]).sum()
            used.add(j)
        else:
            union += x.sum()
    union += sum(y.sum() for j, y in enumerate(b) if j not in used)
    return divided(shared, union)


def pixels(reference, prediction):
    a, b = reference > 0, prediction > 0
    return (a & b).sum(), (~a & b).sum(), (a & ~b).sum(), (~a & ~b).sum()


def iou(reference, prediction):
    tp, fp, fn, _ = pixels(reference, prediction)
    return divided(tp, tp + fp + fn)


def mean_iou(reference, prediction):
    both = [iou(reference, prediction), iou(reference == 0, prediction == 0)]
    return np.mean([value for value in both if not math.isnan(value)])


def accuracy(reference, prediction):
    return np.mean((reference > 0) == (prediction > 0))


def specificity(reference, prediction):
    _, fp, _, tn = pixels(reference, prediction)
    return divided(tn, tn + fp)


def pixel_precision(reference, prediction):
    tp, fp, fn, _ = pixels(reference, prediction)
    if tp + fp == 0:
        return 1 if fn == 0 else 0
    return tp / (tp + fp)


def pixel_recall(reference, prediction):
    tp, _, fn, _ = pixels(reference, prediction)
    return divided(tp, tp + fn)


def matthews_correlation(reference, prediction):
    a, b = (reference > 0).ravel(), (prediction > 0).ravel()
    if (a == b).all():
        return 1
    return 0 if a.std() * b.std() == 0 else float(np.corrcoef(a, b)[0, 1])


def largest_iou_pairs(reference, prediction):
    """(i, j) of the one-to-one pairing of the largest summed IoU, by one dense assignment; ties by intersection."""
    a, b = masks(reference), masks(prediction)
    ious = iou_matrix(reference, prediction)
    shared = np.array([[(x & y).sum() for y in b] for x in a], float).reshape(ious.shape)
    rows, columns = linear_sum_assignment(
        ious + 1e-10 * shared / max(shared.max(initial=0), 1), maximize=True
    )
    return [(i, j) for i, j in zip(rows, columns, strict=True) if ious[i, j] > 0]


def aggregated_jaccard_plus(reference, prediction):
    a, b = masks(reference), masks(prediction)
    pairs = largest_iou_pairs(reference, prediction)
    shared = sum((a[i] & b[j]).sum() for i, j in pairs)
    union = sum((a[i] | b[j]).sum() for i, j in pairs)
    union += sum(x.sum() for i, x in enumerate(a) if i not in {i for i, _ in pairs})
    union += sum(y.sum() for j, y in enumerate(b) if j not in {j for _, j in pairs})
    return divided(shared, union)


def sorted_average_precision(reference, prediction):
    """Average precision at the middle of every step of the staircase, times the width of the step."""
    ious = iou_matrix(reference, prediction)
    paired = [ious[i, j] for i, j in largest_iou_pairs(reference, prediction)]
    steps, area = [0, *sorted(set(paired)), 1], 0.0
    for low, high in itertools.pairwise(steps):
        tp = sum(value > (low + high) / 2 for value in paired)
        area += (high - low) * divided(tp, sum(ious.shape) - tp)
    return area


def ensemble_dice(reference, prediction):
    shared, sizes = 0, 0
    for x, y in itertools.product(masks(reference), masks(prediction)):
        if (x & y).any():
            shared += (x & y).sum()
            sizes += x.sum() + y.sum()
    if not sizes:
        return 0 if (reference.any() or prediction.any()) else math.nan
    return 2 * shared / sizes


def covered(reference, prediction):
    """For each reference object: the predicted object that covers more than half of it, or None."""
    b = masks(prediction)
    return [
        next((j for j, y in enumerate(b) if (x & y).sum() > 0.5 * x.sum()), None) for x in masks(reference)
    ]


def ctc_seg(reference, prediction):
    found, ious = covered(reference, prediction), iou_matrix(reference, prediction)
    return divided(sum(ious[i, j] for i, j in enumerate(found) if j is not None), len(found))


def ctc_det(reference, prediction):
    found = covered(reference, prediction)
    if not found:
        return math.nan
    n_found = [found.count(j) for j in range(len(masks(prediction)))]
    cost = 5 * sum(n - 1 for n in n_found if n > 1) + 10 * found.count(None) + n_found.count(0)
    return 1 - min(cost, 10 * len(found)) / (10 * len(found))


def ctc_op_csb(reference, prediction):
    return (ctc_seg(reference, prediction) + ctc_det(reference, prediction)) / 2


def lies_in(inner, outer):
    """For each object of one side: the object of the other that holds more than half of it, or None."""
    return [
        next((j for j, y in enumerate(masks(outer)) if 2 * (x & y).sum() > x.sum()), None)
        for x in masks(inner)
    ]


def splits(reference, prediction):
    inside = lies_in(prediction, reference)
    return sum(inside.count(i) > 1 for i in range(len(masks(reference))))


def merges(reference, prediction):
    return splits(prediction, reference)


def misses(reference, prediction):
    """Those not matched, not split, and not inside of a predicted object that holds several."""
    ious = iou_matrix(reference, prediction)
    gain = np.where(ious >= 0.5, 1 + ious / (2 * max(min(ious.shape), 1)), 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    matched_rows = {i for i, j in zip(rows, columns, strict=True) if ious[i, j] >= 0.5}
    parts, holders = lies_in(prediction, reference), lies_in(reference, prediction)
    return sum(
        i not in matched_rows and parts.count(i) < 2 and (j is None or holders.count(j) < 2)
        for i, j in enumerate(holders)
    )


def false_alarms(reference, prediction):
    return misses(prediction, reference)


def outline(mask):
    """Points of the mask with a face neighbour outside of it, within the image."""
    points = []
    for point in np.argwhere(mask):
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            near = point.copy()
            near[axis] += step
            if 0 <= near[axis] < mask.shape[axis] and not mask[tuple(near)]:
                points.append(point)
                break
    return np.array(points, float).reshape(-1, mask.ndim)


def outline_distances(reference, prediction, voxel=1.0):
    """From every point of either outline to the nearest of the other, all against all."""
    a, b = outline(reference > 0) * voxel, outline(prediction > 0) * voxel
    every = np.linalg.norm(a[:, None] - b[None], axis=-1)
    return every.min(axis=1, initial=math.inf), every.min(axis=0, initial=math.inf)


def boundary_f1(reference, prediction, tolerance=1.0, voxel=1.0):
    a, b = outline_distances(reference, prediction, voxel)
    if not len(a) or not len(b):
        return 0 if len(a) or len(b) else math.nan
    recall, precision = (a <= tolerance + 1e-9).mean(), (b <= tolerance + 1e-9).mean()
    return 2 * recall * precision / (recall + precision) if recall + precision else 0


def hausdorff95(reference, prediction, voxel=1.0):
    a, b = outline_distances(reference, prediction, voxel)
    return max(np.percentile(a, 95), np.percentile(b, 95)) if len(a) and len(b) else math.nan


def mean_surface_distance(reference, prediction, voxel=1.0):
    a, b = outline_distances(reference, prediction, voxel)
    return np.concatenate([a, b]).mean() if len(a) and len(b) else math.nan


def bpq(reference, prediction):
    return panoptic_quality(reference, prediction) if reference.any() else math.nan


def class_pq(reference, prediction, first, second, class_id=1):
    """Images of the objects of this class alone, and their panoptic quality."""
    return panoptic_quality(
        np.where(of_class(reference, first, class_id), reference, 0),
        np.where(of_class(prediction, second, class_id), prediction, 0),
    )


def of_class(labels, classes, class_id):
    return np.isin(labels, [i for i, c in classes.items() if c == class_id])


def mpq(reference, prediction, first, second):
    present = [c for c in range(1, 10) if of_class(reference, first, c).any()]
    values = [class_pq(reference, prediction, first, second, c) for c in present]
    return np.mean(values) if values else math.nan
