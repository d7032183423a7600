"""The documentation site: ``make docs`` writes it into build/docs.

The sources of the site are the repository's: what a folder's README says is a page as it is, so links between files
are links between pages, here and where the files are read as text.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "memtrace"
author = "The memtrace authors"
copyright = author
release = importlib.metadata.version("memtrace-python")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "commands", "names", "sources"]

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "src/README.md",
    "snapshot/README.md",
    "python/page/README.md",
    "benchmarks/*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
# README.md is docs/index.md's; without the folders that are no sources the search for pages would go through them.
exclude_patterns = ["docs/README.md", "**/node_modules", "build", ".git", ".venv"]

nitpicky = True
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    # From memtrace's own bases, not from these.
    "inherited-members": "BaseFilter, Sequence, int, tuple",
}
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "memtrace"
html_static_path = ["static"]
html_css_files = ["site.css"]
# Pages are docs/..., src/...: the address of the whole leads to the first of them.
html_additional_pages = {"index": "forward.html"}
templates_path = ["templates"]
html_copy_source = False
html_show_sphinx = False
# A page that was opened from a disk may not read others, from which a search would show lines.
html_show_search_summary = False

# A console block is copied without its prompts and without what was printed.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
