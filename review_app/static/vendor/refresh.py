"""Refreshes what is vendored here from the packages' archives: `npm pack NAME@VERSION`, then this with their folder.

GOV.UK Frontend is changed in one way only: its typeface and crest, which are for GOV.UK alone, are taken out; text
is set in Arial.
"""

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = {
    "govuk-frontend-6.6.0.tgz": {
        "package/dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
        "package/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
    },
    "htmx.org-2.0.11.tgz": {"package/dist/htmx.min.js": "htmx.min.js", "package/LICENSE": "htmx.LICENSE.txt"},
}
LICENCES = {"govuk-frontend": "MIT (govuk-frontend.LICENSE.txt)", "htmx.org": "0BSD (htmx.LICENSE.txt)"}


def without_crown(css: str) -> str:
    """The style sheet in Arial, with no address of a font or crest in it."""
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = css.replace("GDS Transport,arial", "Arial").replace("font-family:GDS Transport", "font-family:Arial")
    css = re.sub(r"url\(/assets/images/govuk-crest\.svg\)", "none", css)
    return re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css)


def refresh(archives: Path) -> None:
    written = {}
    for archive, files in PACKAGES.items():
        packed = (archives / archive).read_bytes()
        name, version = re.fullmatch(r"(.+)-(\d[\d.]*)\.tgz", archive).groups()  # type: ignore[union-attr]
        with tarfile.open(archives / archive) as tar:
            for inside, here in files.items():
                content = tar.extractfile(inside).read()  # type: ignore[union-attr]
                if here.endswith(".css"):
                    content = without_crown(content.decode()).encode()
                if here.endswith(".js"):
                    content = re.sub(rb"//# sourceMappingURL=\S+\s*$", b"", content)
                (HERE / here).write_bytes(content)
                if here.endswith((".css", ".js")):
                    written[here] = {
                        "package": name,
                        "version": version,
                        "licence": LICENCES[name],
                        "archive_sha256": hashlib.sha256(packed).hexdigest(),
                        "sha256": hashlib.sha256(content).hexdigest(),
                    }
    (HERE / "vendored.json").write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))
