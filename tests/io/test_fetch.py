"""Files fetched by their checksum, from a server on this machine."""

import hashlib
import http.server
import io
import threading
from dataclasses import replace

import pytest

from cellsynth.core.errors import InputError, MissingToolError, StorageError
from cellsynth.io import fetch as fetching
from cellsynth.io.fetch import PublishedFile, cache_folder, fetch

DATA = bytes(range(256)) * 9000  # more than two pieces
SHA256 = hashlib.sha256(DATA).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives DATA, by paths that do it wrong in different ways."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/gone.pth":
            self.send_error(404)
            return
        self.send_response(302 if self.path == "/moved.pth" else 200)
        if self.path == "/moved.pth":
            self.send_header("Location", "/good.pth")
        elif self.path != "/unannounced.pth":
            self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        if self.path != "/moved.pth":
            self.wfile.write(DATA[:100_000] if self.path == "/cut.pth" else DATA)

    def log_message(self, *_):
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Server whose clients may hang up."""

    def handle_error(self, request, client_address):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def published(server, name, **changes):
    url = f"http://127.0.0.1:{server.server_port}/{name}"
    return replace(PublishedFile(url, SHA256, len(DATA), "none"), **changes)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["good.pth", "moved.pth", "unannounced.pth"])
def test_a_file_is_fetched_once(server, tmp_path, name):
    file = published(server, name)
    path = fetch(file, tmp_path / "cache")
    assert path.read_bytes() == DATA
    n_asked = len(server.asked)
    assert fetch(file, tmp_path / "cache") == path
    assert len(server.asked) == n_asked
    assert names(tmp_path / "cache") == [f"{SHA256[:8]}-{name}"]


def test_a_damaged_file_in_the_cache_is_fetched_anew(server, tmp_path):
    file = published(server, "good.pth")
    path = fetch(file, tmp_path)
    path.write_bytes(DATA[:-1])
    assert fetch(file, tmp_path).read_bytes() == DATA


def test_another_file_is_not_kept(server, tmp_path):
    with pytest.raises(InputError, match=f"has the checksum .* {SHA256} and not 0000"):
        fetch(published(server, "good.pth", sha256="0" * 64), tmp_path)
    assert names(tmp_path) == []


def test_a_file_that_ends_too_early_is_not_kept(server, tmp_path):
    with pytest.raises(MissingToolError, match=f"100000 of {len(DATA)} bytes|IncompleteRead"):
        fetch(published(server, "cut.pth"), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["good.pth", "unannounced.pth"])
def test_a_file_that_is_too_large_is_not_kept(server, tmp_path, name):
    with pytest.raises(InputError, match="at most 1000000 are expected"):
        fetch(published(server, name, max_bytes=1_000_000), tmp_path)
    assert names(tmp_path) == []


def test_without_a_network_it_says_where_to_put_the_file(server, tmp_path, monkeypatch):
    with pytest.raises(MissingToolError, match="the server answers 404") as raised:
        fetch(published(server, "gone.pth"), tmp_path)
    assert f"put it at {tmp_path / SHA256[:8]}-gone.pth" in str(raised.value)
    closed = PublishedFile("http://127.0.0.1:9/w.pth", SHA256, 10, "none")  # discard: nobody listens
    with pytest.raises(MissingToolError, match="could not be fetched .*refused"):
        fetch(closed, tmp_path)


def test_a_server_that_falls_silent_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT_S", 0.2)
    waits = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda self: waits.wait(5))
    try:
        with pytest.raises(MissingToolError, match="timed out"):
            fetch(published(server, "good.pth"), tmp_path)
    finally:
        waits.set()


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_network(server, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match="is a file"):
        fetch(published(server, "good.pth"), tmp_path / "cache")


def test_leading_digits_are_enough_over_https():
    file = PublishedFile("https://example.org/net-6726825d.pth", "6726825d", 10, "none")
    assert file.name == "net-6726825d.pth"
    assert fetching._is_it(file, "6726825d" + "0" * 56)
    assert not fetching._is_it(file, "0" * 64)


def test_a_way_that_leaves_https_is_not_followed(tmp_path, monkeypatch):
    class Answer(io.BytesIO):
        """What a server gives after it led elsewhere."""

        url = "http://example.org/w.pth"

    monkeypatch.setattr(fetching, "urlopen", lambda *_, **__: Answer(DATA))
    with pytest.raises(InputError, match="leads to http://example.org/w.pth, which is not https"):
        fetch(PublishedFile("https://example.org/w.pth", SHA256, len(DATA), "none"), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "sha256", "reason"),
    [
        ("http://example.org/w.pth", "6726825d", "needs https"),
        ("file:///etc/passwd", SHA256, "needs https"),
        ("ftp://example.org/w", SHA256, "needs https"),
        ("https://example.org/w", "6726", "hexadecimal"),
        ("https://example.org/w", "x" * 64, "hexadecimal"),
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused(url, sha256, reason):
    with pytest.raises(ValueError, match=reason):
        PublishedFile(url, sha256, 10, "none")


def test_cache_is_where_the_user_says_or_the_system(monkeypatch, tmp_path):
    monkeypatch.setenv("CELLSYNTH_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("CELLSYNTH_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "cellsynth"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "cellsynth"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "cellsynth"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "cellsynth"
