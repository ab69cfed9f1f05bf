"""The large image's writers make real files, and a tiny run has every row."""

from types import SimpleNamespace

import cv2
import numpy as np
import tifffile


def test_both_files_hold_the_same_picture(module, tmp_path, monkeypatch):
    bench = module('bench_large_image')
    monkeypatch.setattr(bench, 'BAND', 100)
    bench.write_png(tmp_path / 'a.png', 400)
    bench.write_tiff(tmp_path / 'a.tif', 400)
    expected = np.concatenate(list(bench.bands(400)))
    assert expected.shape == (400, 400, 3)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png'))[..., ::-1], expected)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / 'a.tif'), expected)


def test_a_tiny_run(module, monkeypatch):
    bench = module('bench_large_image')
    for name, value in (('BAND', 100), ('QUICK', 400), ('SMALL', 200)):
        monkeypatch.setattr(bench, name, value)
    rows = bench.run(SimpleNamespace(quick=True))
    assert [row['unit'] for row in rows] == ['MB'] + ['MB', 'MB', 'megapixels/s'] * 2
    assert rows[0]['ours'] > 100
