"""Registry: a file is a method, found by name and imported only when asked for."""

import sys
from typing import Annotated

import pytest

from cellsynth.core.config import Config
from cellsynth.core.errors import RecipeError
from cellsynth.core.registry import Plugin, Registry

METHOD = '''
from typing import Literal
from {package} import registry
from cellsynth.core.registry import Plugin

@registry.register
class Method(Plugin):
    """Does it.

    With more words.
    """
    kind: Literal["{kind}"] = "{kind}"
    strength: float = 1.0
'''


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """A plug-in folder with the methods `sharpen` and `blur`, a base, a private file, and a file whose name lies."""
    package = "plugins_of_a_test"
    folder = tmp_path / package
    (folder / "folded").mkdir(parents=True)
    (folder / "__init__.py").write_text(
        f"from cellsynth.core.registry import Registry\nregistry = Registry({package!r}, 'filter')\n"
    )
    for file, kind in [
        ("sharpen", "sharpen"),
        ("blur", "blur"),
        ("liar", "other"),
        ("folded/__init__", "folded"),
    ]:
        (folder / f"{file}.py").write_text(METHOD.format(package=package, kind=kind))
    (folder / "base.py").write_text("")
    (folder / "_private.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield sys.modules.get(package) or __import__(package)
    for name in [n for n in sys.modules if n.split(".")[0] == package]:
        del sys.modules[name]


def test_names_are_the_files_and_folders_without_base_and_private_ones(plugins):
    assert plugins.registry.names() == ["blur", "folded", "liar", "sharpen"]
    assert not [name for name in sys.modules if name.startswith("plugins_of_a_test.")]


def test_a_method_is_imported_when_asked_for_and_not_before(plugins):
    assert plugins.registry.get("blur").headline() == "Does it."
    assert "plugins_of_a_test.blur" in sys.modules
    assert "plugins_of_a_test.sharpen" not in sys.modules


def test_a_method_in_a_folder_is_found(plugins):
    assert plugins.registry.get("folded").model_fields["kind"].default == "folded"


def test_unknown_kind_suggests_the_nearest(plugins):
    with pytest.raises(RecipeError, match="no filter is called 'sharpn'; did you mean 'sharpen'"):
        plugins.registry.get("sharpn")


@pytest.mark.parametrize("kind", ["base", "_private", "os", "blur.x"])
def test_what_is_not_a_method_cannot_be_asked_for(plugins, kind):
    with pytest.raises(RecipeError, match="no filter is called"):
        plugins.registry.get(kind)


def test_kind_that_is_not_the_file_name_is_a_programming_error(plugins):
    with pytest.raises(TypeError, match="kind is 'other' but its file is 'liar'"):
        plugins.registry.get("liar")


def test_parse_takes_a_name_a_dictionary_or_a_config(plugins):
    blur = plugins.registry.parse("blur")
    assert plugins.registry.parse({"kind": "blur", "strength": 1}) == blur
    assert plugins.registry.parse(blur) is blur
    with pytest.raises(RecipeError, match="blur: strenght: unknown key.*did you mean 'strength'"):
        plugins.registry.parse({"kind": "blur", "strenght": 2})


@pytest.mark.parametrize("data", [None, 3, {}, {"strength": 1}])
def test_a_method_without_a_kind_is_refused_with_what_there_is(plugins, data):
    with pytest.raises(RecipeError, match="a filter needs a kind; known: blur, folded, liar, sharpen"):
        plugins.registry.parse(data)


def test_a_recipe_field_keeps_every_parameter_of_its_method(plugins):
    registry: Registry[Plugin] = plugins.registry

    class Job(Config):
        """Has a method."""

        step: Annotated[Plugin, *registry.field()]

    job = Job.parse({"step": {"kind": "blur", "strength": 2}})
    assert job.to_dict() == {"step": {"kind": "blur", "strength": 2.0}}
    assert Job.parse(job.to_dict()) == job
    with pytest.raises(RecipeError, match="step: .*did you mean 'blur'"):
        Job.parse({"step": {"kind": "blurr"}})
