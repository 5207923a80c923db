"""A page in a real browser, where there is one: what a script measures of it."""

import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CONTRAST = """
const channels = colour => {
  const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const ground = element => {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.unshift(channels(getComputedStyle(e).backgroundColor));
  return layers.reduce((below, [r, g, b, a]) => [r, g, b].map((c, k) => a * c + (1 - a) * below[k]), [255, 255, 255]);
};
const light = colour => {
  const [r, g, b] = colour.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = element => {
  const [one, other] = [light(channels(getComputedStyle(element).color)), light(ground(element))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
};
"""
"""JavaScript: `contrast(element)` of a text with what lies below it."""


def measuring(html: str, script: str) -> str:
    """A page that says as its frame's title what a script, which may ask for `contrast`, gives for `measured`."""
    bare = re.sub("<meta http-equiv[^>]*>", "", html)
    return f"{bare}<script>{CONTRAST}{script}parent.document.title = JSON.stringify(measured);</script>"


def framed(html: str, width: int) -> str:
    """A page in a frame of this width, since the window of a browser has a least one."""
    scheme = "<meta name='color-scheme' content='light dark'>"
    return f'{scheme}<title></title><iframe style="width: {width}px; border: 0" srcdoc="{escape(html)}"></iframe>'


def browsed(html: str, folder: Path, dark: bool = False) -> str:
    """The title of a page after a browser has shown it."""
    assert BROWSER
    (folder / "page.html").write_text(html, "utf-8")
    options = [f"--user-data-dir={folder / 'profile'}", "--headless", "--no-sandbox", "--disable-gpu"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    address = (folder / "page.html").as_uri()
    ran = subprocess.run(
        [BROWSER, *options, "--dump-dom", address], capture_output=True, text=True, check=True, timeout=60
    )
    found = re.search("<title>(.*?)</title>", ran.stdout, re.DOTALL)
    assert found, ran.stderr
    return unescape(found[1])
