"""Where the windows of a sliding test lie.

The grid is mmsegmentation's (`EncoderDecoder.slide_inference`), so that a published figure can be
repeated: windows start every ``stride`` pixels, the last one is shifted back inside, and an
image smaller than the window is one window of the image's size.
"""

Span = tuple[int, int]


def spans(size: int, crop: int, stride: int) -> list[Span]:
    """The windows along one axis: [(start, stop), ...] in pixels, covering [0, size)."""
    count = max(size - crop + stride - 1, 0) // stride + 1
    stops = [min(i * stride + crop, size) for i in range(count)]
    return [(max(stop - crop, 0), stop) for stop in stops]


def windows(size: tuple[int, int], crop: tuple[int, int],
            stride: tuple[int, int]) -> list[tuple[Span, Span]]:
    """All windows of an image, row by row.

    Args:
        size: (H, W) of the image.
        crop: (H, W) of a window.
        stride: (H, W) step from one window to the next.

    Returns:
        [((top, bottom), (left, right)), ...]; all of one size.
    """
    rows, cols = (spans(*axis) for axis in zip(size, crop, stride, strict=True))
    return [(row, col) for row in rows for col in cols]
