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
