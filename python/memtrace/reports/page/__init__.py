"""One self-contained HTML page about a snapshot, or about what changed between two.

``data`` turns snapshots into columns; ``document`` puts them into ``page.html``, the page without data, which is made from
``python/page`` when the wheel is built. The page draws, searches and filters by itself; nothing is computed here that
it can compute. What it is given comes from files that anybody may have written: names are made printable here, and
there they are only ever set as text.
"""
