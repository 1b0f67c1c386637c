"""Looks at every page of a site in Chromium as on a telephone and on a desk; make docs runs it.

Nothing may run past an edge or be cut off, what scrolls sideways has to say so, links lead
somewhere and scripts have no errors. Without a chromium nothing is looked at, and that is said.
"""

import json
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from support.browser import CHROMIUM, SWITCHES

WIDTHS = (390, 1280)
SECONDS = 900.0
LOOK = """<!doctype html><link rel="icon" href="data:,"><body><script>
const styled = part => part.ownerDocument.defaultView.getComputedStyle(part);
const scrolls = part => ["auto", "scroll"].includes(styled(part).overflowX);
const inside = part => {
  for (let above = part.parentElement; above.tagName !== "BODY"; above = above.parentElement)
    if (scrolls(above)) return true;
  return false;
};
const says = part => [part, ...part.children].some(
  each => getComputedStyle(each, "::before").content.includes("scrolls sideways"));
const named = part => `${part.tagName}.${part.className}: ${part.textContent.trim().slice(0, 60)}`;
function faults(page) {
  const wide = page.documentElement.clientWidth, found = [];
  if (page.documentElement.scrollWidth > wide) found.push("the page scrolls sideways");
  for (const part of page.querySelectorAll("article *")) {
    const box = part.getBoundingClientRect();
    if (!box.width || part.closest("svg *")) continue;
    if ((box.right > wide + 1 || box.left < -1) && !inside(part))
      found.push("runs past the edge: " + named(part));
    if (!part.clientWidth || part.scrollWidth <= part.clientWidth + 1) continue;
    if (styled(part).overflowX === "hidden") found.push("is cut off: " + named(part));
    if (scrolls(part) && !says(part)) found.push("does not say that it scrolls: " + named(part));
  }
  return found;
}
async function look(path, width) {
  const frame = document.createElement("iframe");
  Object.assign(frame, {width, height: 900, src: "/" + path});
  frame.style.border = 0;
  const loaded = new Promise(done => frame.onload = done);
  document.body.append(frame);
  await loaded;
  // Scripts wrap tables; what scrolls is known after two frames have been drawn.
  for (let drawn = 0; drawn < 4; drawn++) await new Promise(requestAnimationFrame);
  const links = [...frame.contentDocument.querySelectorAll("article a[href]")].map(a => a.href);
  const found = {path, width, faults: faults(frame.contentDocument), links};
  frame.remove();
  return found;
}
(async () => {
  const all = [];
  for (const path of PAGES) for (const width of WIDTHS) all.push(await look(path, width));
  await fetch("/found", {method: "POST", body: JSON.stringify(all)});
})();
</script></body>"""


class Site(SimpleHTTPRequestHandler):
    """The files of a site, the page that looks at them, and the place where it tells."""

    def __init__(self, page: bytes, found: "queue.Queue[Any]", *args: Any, **others: Any) -> None:
        self.page, self.found = page, found
        super().__init__(*args, **others)

    def do_GET(self) -> None:
        if self.path != "/look":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def do_POST(self) -> None:
        self.found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing about requests."""


@contextmanager
def served(site: Path, page: str, found: "queue.Queue[Any]") -> Iterator[str]:
    """The address at which a site can be looked at."""
    handler = partial(Site, page.encode(), found, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def looked_at(site: Path) -> list[str]:
    """What is wrong with the pages of a site, a line each."""
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    pages = [page for page in pages if page != "404.html"]
    told: queue.Queue[Any] = queue.Queue()
    page = LOOK.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps(WIDTHS))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryFile("w+") as log,
        served(site, page, told) as address,
    ):
        command = [
            str(CHROMIUM),
            *SWITCHES,
            f"--user-data-dir={profile}",
            "--window-size=1400,1000",
        ]
        browser = subprocess.Popen([*command, f"{address}/look"], stdout=log, stderr=log)
        try:
            found = told.get(timeout=SECONDS)
        except queue.Empty:
            return [f"the browser had not seen all {len(pages)} pages after {SECONDS:.0f} s"]
        finally:
            browser.terminate()
            browser.wait()
        log.seek(0)
        wrong = [f"console: {line.strip()}" for line in log if ":CONSOLE" in line]
    for look in found:
        wrong += [f"{look['path']} at {look['width']} px {fault}" for fault in look["faults"]]
        for link in look["links"]:
            path = link.removeprefix(address).partition("#")[0].strip("/") or "index.html"
            if link.startswith(address) and not (site / path).is_file():
                wrong.append(f"{look['path']} links to {path}, which is not there")
    return sorted({*wrong})


def main(site: Path) -> int:
    """Print what is wrong; the exit code."""
    if CHROMIUM is None:
        sys.stdout.write("there is no chromium here: nothing has looked at the pages\n")
        return 0
    wrong = looked_at(site)
    whole = f"every page of {site} is whole at {WIDTHS[0]} and {WIDTHS[1]} px"
    sys.stdout.write("\n".join(wrong or [whole]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
