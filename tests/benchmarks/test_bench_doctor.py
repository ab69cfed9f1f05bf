"""The benchmark of the doctor runs, and its frames are no copies of each other."""

import hashlib

import cv2


def test_quick_run(module, capsys):
    bench, common = module('bench_doctor'), module('common')
    common.main(bench.__doc__, bench.run, ['--quick', '--size', '64x32'])
    shown = capsys.readouterr().out
    assert '64 labels of 64x32, everything' in shown
    assert '2975 labels of 64x32' in shown


def test_every_file_of_the_set_is_another_and_can_be_read(module, tmp_path):
    module('bench_doctor').write_set(tmp_path, (32, 64), 7)
    for kind in ('leftImg8bit', 'labelTrainIds'):
        files = sorted(tmp_path.rglob(f'*{kind}.png'))
        assert len({hashlib.md5(path.read_bytes()).digest() for path in files}) == 7
        assert all(cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape[:2] == (32, 64)
                   for path in files)
