"""A page that is written again when the images of the user are no longer where they were."""

from pathlib import Path

import pytest

from cellsynth.io.tables import read_json, write_json
from cellsynth.pipeline.report import write_report


def test_the_page_with_the_images_is_kept(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    best = (run / "report.html").read_bytes()
    write_report(run, quiet=True)
    assert not caplog.records
    assert not (run / "report.previous.html").exists()
    images = read_json(run / "tables" / "images.json")["images"]
    gone = [{**image, "image": str(run / "gone" / Path(image["image"]).name)} for image in images[:2]]
    write_json(run / "tables" / "images.json", {"images": [*gone, *images[2:]]})
    for _ in range(2):  # the second time there is a poor page already
        caplog.clear()
        write_report(run, quiet=True)
        (said,) = (record.getMessage() for record in caplog.records)
        assert "2 of your images and labels are gone or changed" in said
        assert str(run / "gone" / Path(images[0]["image"]).name) in said
        assert "the page with them is" in said
        assert (run / "report.previous.html").read_bytes() == best
