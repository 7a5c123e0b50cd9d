"""Shapes of objects: how the table of a scene turns into labels."""

from ._frame import to_3d as to_3d
from .ellipsoid import Ellipsoid as Ellipsoid
from .ellipsoid import draw_ellipsoids as draw_ellipsoids
from .pixels import Pixels as Pixels
from .pixels import scene_from_labels as scene_from_labels
