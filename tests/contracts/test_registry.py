"""Every method of every plug-in folder: its file is its kind, it says what it is, and it survives YAML."""

import json

import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.evaluate.detection.base import registry as detection_metrics
from cellsynth.evaluate.features.base import registry as features
from cellsynth.evaluate.image_quality.base import registry as image_metrics
from cellsynth.evaluate.realism.base import registry as realism_metrics
from cellsynth.evaluate.segmentation.base import registry as metrics
from cellsynth.labels.base import registry as label_generators
from cellsynth.render.base import registry as renderers
from cellsynth.segment.base import registry as segmenters

REGISTRIES = [label_generators, renderers, segmenters, metrics, detection_metrics, image_metrics, features]
REGISTRIES.append(realism_metrics)
METHODS = [(registry, kind) for registry in REGISTRIES for kind in registry.names()]


@pytest.fixture(params=METHODS, ids=[f"{r.package.removeprefix('cellsynth.')}.{k}" for r, k in METHODS])
def method(request):
    registry, kind = request.param
    return registry.get(kind)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.package)
def test_every_folder_has_methods_and_suggests_them(registry):
    name = registry.names()[0]
    with pytest.raises(RecipeError, match=f"did you mean '{name}'"):
        registry.get(name + "z")


@pytest.mark.parametrize(("registry", "kind"), METHODS)
def test_a_file_holds_the_method_of_its_name(registry, kind):
    method = registry.get(kind)
    assert method.model_fields["kind"].default == kind
    assert method.__module__.startswith(f"{registry.package}.{kind}")


def test_a_method_says_what_it_is_in_one_line(method):
    assert method.headline().endswith(".")
    assert len(method.headline()) < 120


def test_every_parameter_is_documented_and_has_a_default(method):
    for name, field in method.model_fields.items():
        assert name == "kind" or field.description, f"{name} has no docstring under it"
        assert not field.is_required(), f"{name} has no default, so the bare kind does not work in a recipe"


def test_a_method_is_final_and_survives_the_way_through_plain_values(method):
    config = method.parse({})
    assert method.parse(json.loads(json.dumps(config.to_dict()))) == config
    assert not method.__subclasses__()
