"""Shapes of objects: how the table of a scene turns into labels.

| shape | looks like |
|---|---|
| `Ellipsoid` | round cells, with a rough outline if asked for |
| `StarConvex` | nuclei and round cells with a smooth outline |
| `Superellipsoid` | squarish cells: epithelium, plant tissue |
| `Rod` | bacteria |
| `Branched` | astrocytes, microglia, neurons |
| `Spot` | FISH dots, vesicles: may be smaller than a voxel |
| `Fragments` | what is left of cells that fell apart |
| `Prototypes` | real cells, cut out of labelled images |
| `Mixed` | several of these, by class |
| `Voronoi` | tissue without gaps: its cells, their membranes |
| `Enclosed` | nuclei in these |
| `Pixels` | a label image that somebody else made |
"""

from ._frame import to_3d as to_3d
from .branched import Branched as Branched
from .ellipsoid import Ellipsoid as Ellipsoid
from .ellipsoid import draw_ellipsoids as draw_ellipsoids
from .enclosed import Enclosed as Enclosed
from .fragments import Fragments as Fragments
from .mixed import Mixed as Mixed
from .pixels import Pixels as Pixels
from .pixels import scene_from_labels as scene_from_labels
from .prototype_bank import CutCells as CutCells
from .prototype_bank import PrototypeBank as PrototypeBank
from .prototype_bank import cut_cells as cut_cells
from .prototype_bank import extract_prototypes as extract_prototypes
from .prototypes import Prototypes as Prototypes
from .rod import Rod as Rod
from .spot import Spot as Spot
from .star_convex import StarConvex as StarConvex
from .superellipsoid import Superellipsoid as Superellipsoid
from .voronoi import Voronoi as Voronoi
