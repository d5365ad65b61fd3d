"""Takes the pictures in docs/images/ of the live view of a stack that runs.

    python -m bench.pictures [--prometheus URL]

The stack should have run for half an hour, which is what the overview shows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.lab.chromium import chromium, view

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
# Such a page is read on a phone and in a clone: a picture stays small.
MOST_BYTES = 200_000


def take(url: str, target: Path) -> int:
    """The first screen of the page as PNG; gives the size in bytes."""
    with chromium() as browser, view(browser, width=1360, height=798) as opened:
        opened.open(url)
        target.parent.mkdir(exist_ok=True)
        opened.page.screenshot(path=target)
        if opened.complaints:
            raise SystemExit(f"{url}: {'; '.join(opened.complaints)}")
    return target.stat().st_size


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pictures",
        description=__doc__.splitlines()[0] if __doc__ else None,
    )
    parser.add_argument("--prometheus", default="http://localhost:9090", metavar="URL")
    parser.add_argument("--time", default="now-30m", help="what is shown, up to now")
    options = parser.parse_args()
    target = FOLDER / "overview.png"
    url = f"{options.prometheus}/user/?d=fraud-overview&from={options.time}"
    size = take(url, target)
    print(f"{target.name}: {size // 1000} kB")
    return 0 if size < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
