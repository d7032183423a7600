"""The applications ``memtrace browse`` and ``memtrace top``, with Textual, which nothing else imports.

``entries`` turns statistics into rows and knows no Textual; the widgets show rows, trees and sources of anything that
they are given; ``browse`` and ``top`` put them together. All text that comes from files goes through printable().
"""
