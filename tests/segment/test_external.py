"""Cellpose and StarDist: what can be checked without them, and a run where they are installed.

Their weights cannot be had where these tests are written; the runs marked `external` need the tool and, the
first time, a network. They check the contract, not the quality.
"""

import numpy as np
import pytest

from cellsynth.core.errors import InputError, MissingToolError
from cellsynth.core.grid import Grid
from cellsynth.segment import cellpose, stardist
from cellsynth.segment.base import registry
from tests.segment.cells import DIAMETER, FIELD, image_of

TOOLS = {"cellpose": cellpose, "stardist": stardist}
every_tool = pytest.mark.parametrize("kind", TOOLS)


@every_tool
def test_missing_tool_says_how_to_install_it(kind, monkeypatch):
    monkeypatch.setattr(TOOLS[kind], "find_spec", lambda name: None)
    config = registry.parse(kind)
    assert f'pip install "{kind}"' in config.missing()
    with pytest.raises(MissingToolError, match="pip install"):
        config.build(Grid())


@every_tool
def test_installed_tool_is_not_missing(kind, monkeypatch):
    monkeypatch.setattr(TOOLS[kind], "find_spec", lambda name: object())
    assert registry.get(kind).missing() is None


def test_model_that_cellpose_4_would_silently_replace_is_refused(monkeypatch):
    monkeypatch.setattr(cellpose, "find_spec", lambda name: object())
    monkeypatch.setattr(cellpose, "version", lambda name: "4.0.4")
    with pytest.raises(InputError, match="'nuclei'"):
        registry.parse({"kind": "cellpose", "model": "nuclei"}).build(Grid())


@pytest.mark.external
@every_tool
def test_installed_tool_keeps_the_contract(kind):
    config = registry.parse({"kind": kind, "diameter_um": DIAMETER})
    if missing := config.missing():
        pytest.skip(missing)
    image = image_of(FIELD, noise=0.02)
    labels = config.build(Grid(shape_px=FIELD.shape))(image)
    assert labels.shape == FIELD.shape
    assert labels.dtype == np.int32
    assert set(np.unique(labels)) == set(range(labels.max() + 1))
