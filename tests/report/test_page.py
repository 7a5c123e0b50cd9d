import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cellsynth.core.errors import InputError
from cellsynth.io.tables import read_json, read_parquet, write_json, write_parquet
from cellsynth.report.page import write_page

SECTIONS = [
    "answer",
    "gallery",
    "ranking",
    "scores-section",
    "agreement-section",
    "failures",
    "response",
    "recipe",
    "methods",
]
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects what a test asks about, and checks that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.headings: list[int] = []
        self.unnamed: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [i for i in [given.get("id")] if i]
        self.loads += [v for k, v in attrs if k in ("src", "href", "xlink:href", "action", "data") and v]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg" and not (given.get("aria-label") or given.get("aria-hidden")):
            self.unnamed.append(str(attrs))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def changed(run: Path, name: str, **values: object) -> None:
    write_json(run / name, {**read_json(run / name), **values})


def test_the_page_has_all_sections_and_loads_nothing(finished: Path) -> None:
    text = (finished / "report.html").read_text("utf-8")
    page = Page(text)
    positions = [page.ids.index(i) for i in SECTIONS]
    assert positions == sorted(positions)
    assert len(page.ids) == len(set(page.ids))
    assert all(v.startswith(("#", "data:image/png;base64,")) for v in page.loads)
    assert {v[1:] for v in page.loads if v.startswith("#")} <= set(page.ids)
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", text)
    assert "script" not in page.tags
    assert len(text) < 6e6


def test_headings_are_in_order_and_figures_have_a_text(finished: Path) -> None:
    page = Page((finished / "report.html").read_text("utf-8"))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert not page.unnamed


def test_names_from_outside_are_escaped(finished: Path) -> None:
    text = (finished / "report.html").read_text("utf-8")
    assert "<script" not in text
    assert "a&lt;script&gt;b&amp;&#34;$c$" in text


def test_what_is_not_installed_is_listed_with_the_line_that_installs_it(finished: Path) -> None:
    methods = {m["kind"]: m for m in read_json(finished / "tables" / "methods.json")["methods"]}
    if methods["stardist"]["status"] == "ok":
        pytest.skip("StarDist is installed here")
    assert "pip install" in Page((finished / "report.html").read_text("utf-8")).text


def test_few_images_are_said_to_be_few(finished: Path) -> None:
    text = Page((finished / "report.html").read_text("utf-8")).text
    assert "Too few synthetic images for intervals" in text
    assert "a pixel counts as 1 µm" in text
    assert "nan" not in text.casefold().split()


def test_a_table_of_tests_that_cannot_be_significant_says_so(finished: Path) -> None:
    text = Page((finished / "report.html").read_text("utf-8")).text
    # Three synthetic images, four labelled ones, three pairs.
    assert "with 3 images the smallest p that the test can give is 0.25, and 0.75 after" in text
    assert "with 4 images the smallest p that the test can give is 0.125" in text


def test_blank_labels_make_a_page_without_a_claim(run: Path) -> None:
    results = read_json(run / "tables" / "results.json")
    for row in results["rankings"]["real"]["rows"]:
        row.update(score=0.0, rank=1.0, rank_low=1.0, rank_high=1.0)
    nothing = {"tau": None, "low": None, "high": None}
    results["agreement"].update(nothing)
    for row in results["agreement_by_metric"].values():
        row.update(nothing)
    write_json(run / "tables" / "results.json", results)
    text = Page(write_page(run).read_text("utf-8")).text
    assert "all methods score the same (0.00), so these decide nothing" in text
    assert "The two rankings cannot be compared" in text
    assert "nan" not in text.casefold().split()


def test_scores_that_are_not_defined_anywhere_make_a_page(run: Path) -> None:
    results = read_json(run / "tables" / "results.json")
    for row in results["rankings"]["real"]["rows"]:
        row.update(score=None, rank=None, rank_low=None, rank_high=None)
    write_json(run / "tables" / "results.json", results)
    for name, columns in (("scores", ["value"]), ("summary", ["mean", "low", "high"])):
        table = read_parquet(run / "tables" / f"{name}.parquet")
        table.loc[table["origin"] == "real", columns] = float("nan")
        write_parquet(run / "tables" / f"{name}.parquet", table)
    text = Page(write_page(run).read_text("utf-8")).text
    assert "on your 4 labelled images no method has a score, so these decide nothing" in text
    assert "nan" not in text.casefold().split()


def test_equal_folders_give_equal_bytes(run: Path) -> None:
    before = (run / "report.html").read_bytes()
    assert write_page(run) == run / "report.html"
    assert (run / "report.html").read_bytes() == before


def test_without_reference_and_without_the_real_images(run: Path) -> None:
    results = read_json(run / "tables" / "results.json")
    for part in ("rankings", "tests", "tuning_gain", "n_images"):
        del results[part]["real"]
    del results["agreement_by_metric"]
    write_json(
        run / "tables" / "results.json", {**results, "agreement": None, "agreement_with_defaults": None}
    )
    for name in ("scores", "summary"):
        table = read_parquet(run / "tables" / f"{name}.parquet")
        write_parquet(run / "tables" / f"{name}.parquet", table[table["origin"] == "synthetic"])
    images = read_json(run / "tables" / "images.json")["images"]
    gone = [{**image, "labels": None, "image": str(run / "gone.png")} for image in images]
    changed(run, "tables/images.json", images=gone)
    page = Page(write_page(run).read_text("utf-8"))
    assert "agreement-section" not in page.ids
    assert "Not checked on real images" in page.text
    assert "no longer where it was" in page.text
    assert [i for i in page.ids if i.startswith("pair-")]  # the synthetic ones are still shown


def test_a_method_that_failed_is_shown_with_its_error(run: Path) -> None:
    results = read_json(run / "tables" / "results.json")
    cost = [
        {**c, "n_failed": 7, "first_error": "ValueError: <b>bad</b>", "seconds_per_image": None}
        if c["method"] == "otsu"
        else c
        for c in results["cost"]
    ]
    write_json(run / "tables" / "results.json", {**results, "cost": cost})
    for path in (run / "segmentation").glob("*/otsu/*.tif"):
        path.unlink()
    scores = read_parquet(run / "tables" / "scores.parquet")
    is_otsu = scores["method"] == "otsu"
    scores.loc[is_otsu, "value"], scores.loc[is_otsu, "failed"] = float("nan"), True
    write_parquet(run / "tables" / "scores.parquet", scores)
    (run / "tables" / "response.parquet").unlink()
    text = write_page(run).read_text("utf-8")
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in text
    page = Page(text)
    assert "Methods failed" in page.text
    assert "Outlines of" in page.text
    assert "response" not in page.ids


def test_a_folder_that_is_no_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run.json"):
        write_page(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        write_page(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


def test_a_benchmark_that_was_interrupted_says_what_is_missing(run: Path) -> None:
    (run / "report.html").unlink()
    (run / "tables" / "results.json").unlink()
    with pytest.raises(InputError, match=r"tables/results\.json is missing; .*--resume"):
        write_page(run)
    assert not (run / "report.html").exists()
