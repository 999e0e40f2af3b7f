"""Write into pages what their code prints: `python -m pages docs/tutorial.md`, or all of them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pages.reading import pages
from pages.running import run_page
from pages.scenery import scenery


def main() -> None:
    """Run the pages named, and put in what they print."""
    for page in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        with tempfile.TemporaryDirectory() as folder, scenery(page, Path(folder)):
            run = run_page(page)
        if any(
            "..." in line
            for first, last, _ in run.replaced
            for line in page.read_text("utf-8").splitlines()[first:last]
        ):
            sys.exit(f"{page} shows a part only; mend it by hand:\n{run.problems(page)}")
        page.write_text(run.written(page.read_text(encoding="utf-8")), encoding="utf-8")
        missing = f", without {', '.join(sorted(run.missing))}" if run.missing else ""
        sys.stdout.write(f"{page.name}: {run.ran} blocks run, {len(run.replaced)} outputs changed{missing}\n")


if __name__ == "__main__":
    main()
