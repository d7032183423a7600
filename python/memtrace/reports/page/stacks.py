"""All stacks of some snapshots as one tree of frames."""

from __future__ import annotations

from collections.abc import Callable, Container

import memtrace

AnyStatistic = memtrace.Statistic | memtrace.ChurnStatistic
FrameKey = tuple[str, int, str | None]
"""File, line and function."""

_FRAME_BITS = 32

FindLeaf = Callable[[AnyStatistic], int]


class Stacks:
    """A tree whose nodes are numbered from 1, each after its parent; 0 is the root, which has no frame."""

    def __init__(self, trunk: Container[str] = ()) -> None:
        """Callers in the files of *trunk* are left out, and those of all that called them."""
        self._trunk = trunk
        self.frames: dict[FrameKey, int] = {}
        """The number of each frame, from 0."""
        self.parents = [0]
        self.node_frames = [0]
        self._nodes: dict[int, int] = {}

    def finder(self) -> FindLeaf:
        """Return a function that finds the node of a statistic's innermost frame, adding what is not there.

        It is for the statistics of one snapshot, and of what filters leave of that: they number their stacks alike.
        """
        leaves: dict[int, int] = {}

        def leaf(statistic: AnyStatistic) -> int:
            _, number = statistic._source
            found = leaves.get(number)
            if found is None:
                found = leaves[number] = self._add(statistic)
            return found

        return leaf

    def _add(self, statistic: AnyStatistic) -> int:
        dictionary, number = statistic._source
        frames, nodes, parents = self.frames, self._nodes, self.parents
        node = 0
        stack = list(zip(dictionary.frames(number), dictionary.details(number), strict=True))
        begin = 0
        if self._trunk:
            callers = enumerate(stack[:-1], 1)  # a frame that allocated itself stays
            begin = max((index for index, (place, _) in callers if place[0] in self._trunk), default=0)
        for place, detail in stack[begin:]:
            name, line = place
            known = name, line, detail[0]
            frame = frames.get(known)
            if frame is None:
                frame = frames[known] = len(frames)
            key = node << _FRAME_BITS | frame
            child = nodes.get(key)
            if child is None:
                child = nodes[key] = len(parents)
                parents.append(node)
                self.node_frames.append(frame)
            node = child
        return node
