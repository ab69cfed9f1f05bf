"""The sliding grid, by hand."""

from segplug.ops.windows import spans, windows


def test_last_window_is_shifted_inside():
    # 10 pixels, window 4, step 3: 0-4, 3-7, 6-10 fit exactly; 11 pixels need one more, 7-11
    assert spans(10, 4, 3) == [(0, 4), (3, 7), (6, 10)]
    assert spans(11, 4, 3) == [(0, 4), (3, 7), (6, 10), (7, 11)]


def test_image_smaller_than_the_window_is_one_window():
    assert spans(3, 4, 3) == [(0, 3)]
    assert spans(4, 4, 1) == [(0, 4)]


def test_cityscapes_grid():
    # REFERENCE.md: 512 windows, step 342. 1024 = 512 + 342 + 170: three rows; 2048: six columns
    assert spans(1024, 512, 342) == [(0, 512), (342, 854), (512, 1024)]
    assert len(windows((1024, 2048), (512, 512), (342, 342))) == 3 * 6


def test_row_by_row():
    assert windows((4, 6), (4, 4), (4, 2)) == [((0, 4), (0, 4)), ((0, 4), (2, 6))]


def test_every_pixel_is_covered():
    for size in range(1, 40):
        for crop in range(1, 12):
            for stride in range(1, crop + 1):
                covered = set()
                for start, stop in spans(size, crop, stride):
                    covered.update(range(start, stop))
                assert covered == set(range(size))
