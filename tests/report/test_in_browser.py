"""The page in a browser: it fits wide and narrow windows, shows its pictures, and asks the network for nothing."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome is on the PATH"),
]

MEASURE = """<script>
const found = {errors: [], refused: []};
addEventListener("error", e => found.errors.push(String(e.message)), true);
addEventListener("securitypolicyviolation", e => found.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
addEventListener("load", async () => {
  const loaded = async href => {
    const image = new Image();
    image.src = href;
    await image.decode().catch(() => {});
    return image.naturalWidth;
  };
  const all = [...document.querySelectorAll("image, img")];
  found.pictures = await Promise.all(all.map(e => loaded(e.getAttribute("href") || e.getAttribute("src"))));
  found.shown = [...document.querySelectorAll(".picture, .plot svg")].map(e => e.getBoundingClientRect().width);
  found.requests = performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:"));
  found.width = innerWidth;
  found.needed = document.documentElement.scrollWidth;
  // What scrolls in a box of its own may be wider than the page.
  const wide = [...document.body.querySelectorAll("*")].filter(
    e => !e.closest(".scroll, pre, svg") && e.getBoundingClientRect().right > innerWidth + 0.5);
  found.sticking_out = wide.map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);
  parent.postMessage(JSON.stringify(found), "*");
});
</script>"""

# Windows have a least width, frames have none.
FRAME = """<!doctype html><pre id="measured"></pre>
<script>addEventListener("message", e => { document.getElementById("measured").textContent = e.data; });</script>
<iframe width="WIDTH" height="900" style="border: 0" src="page.html"></iframe>"""


def measured(page: Path, width: int, folder: Path) -> tuple[dict[str, Any], str]:
    """What a copy of the page says of itself in a window of this width, and what the browser logged."""
    assert BROWSER is not None
    text = page.read_text("utf-8")
    policy = "default-src 'none'; img-src data:; "
    assert text.count(policy) == 1
    text = text.replace(policy, f"{policy}script-src 'unsafe-inline'; ").replace(
        "<title>", f"{MEASURE}<title>", 1
    )
    (folder / "page.html").write_text(text, "utf-8")
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(width)))
    for _ in range(3):  # a busy machine may not draw the page before the browser gives up
        done = subprocess.run(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--enable-logging=stderr",
                f"--user-data-dir={folder / 'profile'}",
                f"--window-size={width + 100},1000",
                "--virtual-time-budget=10000",
                "--dump-dom",
                (folder / "frame.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = re.search(r'<pre id="measured">(.+?)</pre>', done.stdout, re.DOTALL)
        if said is not None:
            break
    assert said is not None, done.stderr
    return json.loads(unescape(said[1])), done.stderr


@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_fits_its_window_and_loads_nothing(finished: Path, tmp_path: Path, width: int) -> None:
    found, log = measured(finished / "report.html", width, tmp_path)
    assert found["width"] == width
    assert found["needed"] <= width
    assert found["sticking_out"] == []
    assert found["errors"] == found["refused"] == found["requests"] == []
    assert "CONSOLE" not in log
    assert len(found["pictures"]) >= 8
    assert min(found["pictures"]) > 0
    assert min(found["shown"]) > 50
