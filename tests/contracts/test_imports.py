"""What an import pulls in: a start is quick because nothing heavy is touched before it is needed."""

import subprocess
import sys

import pytest

LEARNING = ("torch", "torchvision", "lightning", "tensorflow")


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh process holds after it ran `code`."""
    report = "import sys; sys.stderr.write('\\n' + ' '.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"try:\n    {code}\nexcept SystemExit:\n    pass\nfinally:\n    {report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_else():
    loaded = modules_after("import cellsynth")
    assert "cellsynth" in loaded
    assert not loaded & {"numpy", "scipy", "pydantic", "pandas", "numba", "skimage", "yaml", *LEARNING}


def test_help_needs_no_numerics():
    loaded = modules_after("import cellsynth.cli; cellsynth.cli.main(['--help'])")
    assert "cellsynth" in loaded
    assert not loaded & {
        "scipy",
        "skimage",
        "numba",
        "pandas",
        "pyarrow",
        "matplotlib",
        "imagecodecs",
        *LEARNING,
    }


@pytest.mark.parametrize("name", ["Recipe", "synthesize", "demo"])
def test_no_public_name_needs_a_learning_framework(name):
    assert not modules_after(f"import cellsynth; cellsynth.{name}") & set(LEARNING)


def test_no_module_outside_of_nets_needs_a_learning_framework_before_it_is_used():
    code = """
    import cellsynth, importlib, pkgutil
    for module in pkgutil.walk_packages(cellsynth.__path__, 'cellsynth.'):
        if not module.name.startswith('cellsynth.nets') and module.name != 'cellsynth.__main__':
            importlib.import_module(module.name)
    """
    loaded = modules_after(code.strip())
    assert {"numba", "pydantic"} <= loaded
    assert not loaded & set(LEARNING)


def test_a_public_name_is_its_function_whatever_was_imported_before():
    code = (
        "import cellsynth, cellsynth.pipeline.demo, cellsynth.pipeline.benchmark, cellsynth.pipeline.synthesize; "
        "assert all(callable(getattr(cellsynth, n)) for n in cellsynth.__all__ if n != '__version__')"
    )
    assert "cellsynth" in modules_after(code)


def test_every_public_name_exists():
    import cellsynth

    for name in cellsynth.__all__:
        assert getattr(cellsynth, name) is not None
    assert set(cellsynth.__all__) <= set(dir(cellsynth))
    with pytest.raises(AttributeError, match="has no attribute 'synthesise'"):
        _ = cellsynth.synthesise
