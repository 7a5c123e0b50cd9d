"""Kernels over the voxels of one block: outlines, and the nearest outline of the same group near by and far away.

A *group* is what is measured together: number 1 for the whole foreground, or one number for each matched pair of
objects. Arrays of groups have a margin of zeros, so that no search asks where the block ends.
"""

import numpy as np
from numba import njit

CELL_PX = 8
"""Side of the cells that points far away are sorted into; only speed depends on it."""


@njit(cache=True, nogil=True)
def number(labels, ids, groups, otherwise):
    """Replace every id of `labels` by its group, in place.

    Parameters
    ----------
    labels : uint32, contiguous
    ids : uint32
        Ascending, without 0.
    groups : uint32
        Group of each of `ids`.
    otherwise
        Group of all other ids but 0.
    """
    flat = labels.ravel()
    before, group = np.uint32(0), np.uint32(0)
    for i in range(flat.size):
        here = flat[i]
        if here != before:  # neighbours mostly are equal
            before = here
            group = np.uint32(0)
            if here:
                place = np.searchsorted(ids, here)
                group = groups[place] if place < ids.size and ids[place] == here else np.uint32(otherwise)
        flat[i] = group


@njit(cache=True, nogil=True)
def draw_outline(groups, skip, out, margin):
    """Write the groups of outline voxels, which have a face neighbour of another group, into `out`.

    Parameters
    ----------
    groups : (Z, Y, X)
    skip : (3, 2)
        Voxels at both ends of each axis that are there as neighbours only.
    out
        Zeros.
    margin : (3,)
        Where in `out` the first voxel that is not skipped belongs.
    """
    nz, ny, nx = groups.shape
    for z in range(skip[0, 0], nz - skip[0, 1]):
        for y in range(skip[1, 0], ny - skip[1, 1]):
            for x in range(skip[2, 0], nx - skip[2, 1]):
                g = groups[z, y, x]
                if g and (
                    (x > 0 and groups[z, y, x - 1] != g)
                    or (x + 1 < nx and groups[z, y, x + 1] != g)
                    or (y > 0 and groups[z, y - 1, x] != g)
                    or (y + 1 < ny and groups[z, y + 1, x] != g)
                    or (z > 0 and groups[z - 1, y, x] != g)
                    or (z + 1 < nz and groups[z + 1, y, x] != g)
                ):
                    out[
                        z - skip[0, 0] + margin[0], y - skip[1, 0] + margin[1], x - skip[2, 0] + margin[2]
                    ] = g


@njit(cache=True, nogil=True)
def search_near(own, other, margin, steps, ranks, n_points):
    """Nearest voxel of the same group for every outline voxel of the block, as far as the steps lead.

    Parameters
    ----------
    own, other
        Groups of the outline voxels of both sides, with a margin that no step leaves.
    margin : (3,)
    steps
        Offsets in the flat array, by ascending distance.
    ranks
        Number of the distance of each step, from 0 without gaps.
    n_points
        Outline voxels of `own` within the margin.

    Returns
    -------
    groups
        Of every outline voxel, in C order.
    found
        Number of its distance, or one more than the largest where the steps lead to none.
    """
    nz, ny, nx = own.shape
    flat = other.ravel()
    groups, found = np.empty(n_points, np.uint32), np.empty(n_points, np.uint32)
    nothing = ranks[-1] + 1
    n = 0
    for z in range(margin[0], nz - margin[0]):
        for y in range(margin[1], ny - margin[1]):
            row = (z * ny + y) * nx
            for x in range(margin[2], nx - margin[2]):
                g = own[z, y, x]
                if g == 0:
                    continue
                rank = nothing
                for i in range(steps.size):
                    if flat[row + x + steps[i]] == g:
                        rank = ranks[i]
                        break
                groups[n], found[n] = g, rank
                n += 1
    return groups, found


@njit(cache=True, nogil=True)
def bound_groups(own, margin, start, boxes):
    """Extend the box of each group, `(first zyx, last zyx)`, by its outline voxels of the block at `start`."""
    nz, ny, nx = own.shape
    for z in range(margin[0], nz - margin[0]):
        for y in range(margin[1], ny - margin[1]):
            for x in range(margin[2], nx - margin[2]):
                g = own[z, y, x]
                if g == 0:
                    continue
                box = boxes[g]
                place = (z - margin[0] + start[0], y - margin[1] + start[1], x - margin[2] + start[2])
                for axis in range(3):
                    box[axis] = min(box[axis], place[axis])
                    box[axis + 3] = max(box[axis + 3], place[axis])


@njit(cache=True, nogil=True)
def keep_far(own, margin, found, nothing):
    """Remove the voxels for which `search_near` found something, in place."""
    nz, ny, nx = own.shape
    n = 0
    for z in range(margin[0], nz - margin[0]):
        for y in range(margin[1], ny - margin[1]):
            for x in range(margin[2], nx - margin[2]):
                if own[z, y, x]:
                    if found[n] != nothing:
                        own[z, y, x] = 0
                    n += 1


@njit(cache=True, nogil=True)
def sort_into_cells(array, margin, origin):
    """List the voxels of an array of groups that are not 0, cell by cell.

    Parameters
    ----------
    margin : (3,)
        What to leave out at both ends of each axis.
    origin : (3,)
        Where in the volume the first voxel of the array is.

    Returns
    -------
    points : (n, 3)
        Voxels of the volume.
    groups : (n,)
    cells : (c + 1,)
        Where each cell that holds a point begins, and the end of the last.
    boxes : (c, 6)
        First and last voxel of the points of each cell.
    """
    nz, ny, nx = array.shape[0] - margin[0], array.shape[1] - margin[1], array.shape[2] - margin[2]
    n_points = 0
    for z in range(margin[0], nz):
        for y in range(margin[1], ny):
            for x in range(margin[2], nx):
                n_points += array[z, y, x] != 0
    points, groups = np.empty((n_points, 3), np.int32), np.empty(n_points, np.uint32)
    n_cells = 1
    for axis in range(3):
        n_cells *= -(-(array.shape[axis] - 2 * margin[axis]) // CELL_PX)
    cells, boxes = np.empty(n_cells + 1, np.int64), np.empty((n_cells, 6), np.int32)
    n = c = 0
    for cz in range(margin[0], nz, CELL_PX):
        for cy in range(margin[1], ny, CELL_PX):
            for cx in range(margin[2], nx, CELL_PX):
                first = n
                for z in range(cz, min(cz + CELL_PX, nz)):
                    for y in range(cy, min(cy + CELL_PX, ny)):
                        for x in range(cx, min(cx + CELL_PX, nx)):
                            if array[z, y, x]:
                                points[n, 0] = z + origin[0]
                                points[n, 1] = y + origin[1]
                                points[n, 2] = x + origin[2]
                                groups[n] = array[z, y, x]
                                n += 1
                if n > first:
                    cells[c] = first
                    for axis in range(3):
                        boxes[c, axis] = boxes[c, axis + 3] = points[first, axis]
                        for i in range(first + 1, n):
                            boxes[c, axis] = min(boxes[c, axis], points[i, axis])
                            boxes[c, axis + 3] = max(boxes[c, axis + 3], points[i, axis])
                    c += 1
    cells[c] = n
    return points, groups, cells[: c + 1].copy(), boxes[:c].copy()


@njit(cache=True, nogil=True, inline="always")
def _gap(first, last, other_first, other_last):
    """Steps between two ranges of voxels; 0 where they meet."""
    return max(other_first - last, first - other_last, 0)


@njit(cache=True, nogil=True)
def search_far(queries, query_groups, query_cells, query_boxes, best, points, groups, cells, boxes, voxel_um):
    """Lower the squared distance of every query to that of the nearest point of its group, where that is less.

    Branch and bound over cells of points. What is pruned is never nearer, in rounded numbers as well, since the
    terms of both sums grow with the steps; so the result is the smallest of the sums over all points.

    Parameters
    ----------
    queries, query_groups, query_cells, query_boxes
        As `sort_into_cells` gives them.
    best
        Squared distances to beat, in um^2; changed in place.
    points, groups, cells, boxes
        The same of the points.
    """
    vz, vy, vx = voxel_um[0], voxel_um[1], voxel_um[2]
    gaps = np.empty(boxes.shape[0])
    nearest = -1
    for c in range(query_cells.size - 1):
        first, last = query_cells[c], query_cells[c + 1]
        worst = 0.0
        for q in range(first, last):
            # What was nearest to the voxel before is a good guess.
            if nearest >= 0 and groups[nearest] == query_groups[q]:
                dz = points[nearest, 0] - queries[q, 0]
                dy = points[nearest, 1] - queries[q, 1]
                dx = points[nearest, 2] - queries[q, 2]
                best[q] = min(best[q], (dz * vz) ** 2 + (dy * vy) ** 2 + (dx * vx) ** 2)
            worst = max(worst, best[q])
        n_near = 0
        for b in range(boxes.shape[0]):
            gz = _gap(query_boxes[c, 0], query_boxes[c, 3], boxes[b, 0], boxes[b, 3])
            gy = _gap(query_boxes[c, 1], query_boxes[c, 4], boxes[b, 1], boxes[b, 4])
            gx = _gap(query_boxes[c, 2], query_boxes[c, 5], boxes[b, 2], boxes[b, 5])
            gaps[b] = (gz * vz) ** 2 + (gy * vy) ** 2 + (gx * vx) ** 2
            n_near += gaps[b] < worst
        near, place = np.empty(n_near, np.int64), 0
        for b in range(boxes.shape[0]):
            if gaps[b] < worst:
                near[place] = b
                place += 1
        near = near[np.argsort(gaps[near])]
        for q in range(first, last):
            z, y, x, g, least = queries[q, 0], queries[q, 1], queries[q, 2], query_groups[q], best[q]
            if nearest >= 0 and groups[nearest] == g:
                dz, dy, dx = points[nearest, 0] - z, points[nearest, 1] - y, points[nearest, 2] - x
                least = min(least, (dz * vz) ** 2 + (dy * vy) ** 2 + (dx * vx) ** 2)
            for k in range(n_near):
                b = near[k]
                if gaps[b] >= least:
                    break
                gz = _gap(z, z, boxes[b, 0], boxes[b, 3])
                gy = _gap(y, y, boxes[b, 1], boxes[b, 4])
                gx = _gap(x, x, boxes[b, 2], boxes[b, 5])
                if (gz * vz) ** 2 + (gy * vy) ** 2 + (gx * vx) ** 2 >= least:
                    continue
                for i in range(cells[b], cells[b + 1]):
                    dz, dy, dx = points[i, 0] - z, points[i, 1] - y, points[i, 2] - x
                    here = (dz * vz) ** 2 + (dy * vy) ** 2 + (dx * vx) ** 2
                    if here < least and groups[i] == g:
                        least, nearest = here, i
            best[q] = least
