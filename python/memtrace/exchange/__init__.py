"""Snapshots in the formats of other tools, and back.

``records`` takes a snapshot apart, and each format has a module that turns records into the bytes of a file;
``formats`` is the list of them. The other way, ``pprof_reader`` makes a snapshot of a profile; ``messages`` has what both
need of protobuf. Nothing here is imported before a command needs it.
"""
