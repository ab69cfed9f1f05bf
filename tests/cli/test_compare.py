"""``segplug compare A B``: what it prints, what it writes, how it refuses."""

import json

import numpy as np
import pytest

from segplug.cli.main import main
from segplug.evaluation.outputs import per_image_table


@pytest.fixture
def runs(tmp_path):
    """Two folders of ``segplug test --out``: B has one of 'road' more right in the first image.

    Image -> tp, fp, fn of (road, 道); the second image has no pixel of 道.
    """
    a = np.array([[[5, 2], [0, 1], [1, 0]], [[4, 0], [0, 0], [0, 0]]])
    b = np.array([[[6, 2], [0, 0], [0, 0]], [[4, 0], [0, 0], [0, 0]]])
    folders = []
    for name, counts in (('a', a), ('b', b)):
        (tmp_path / name).mkdir()
        table = per_image_table(['0.png', '1.png'], *np.moveaxis(counts, 1, 0), ['road', '道'])
        table.to_csv(tmp_path / name / 'per_image.csv', index=False)
        folders.append(str(tmp_path / name))
    return folders


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_the_tables_and_the_verdict(runs, capsys):
    """road: 9 / 10 and 10 / 10; 道: 2 / 3 and 2 / 2; mIoU 78.33 and 100."""
    assert main(['compare', *runs]) == 0
    out = capsys.readouterr().out
    rows = [cells(line) for line in out.splitlines() if line.startswith('|')]
    assert ['road', '90.00', '100.00', '+10.00'] in rows
    assert ['道', '66.67', '100.00', '+33.33'] in rows
    assert ['mIoU', '78.33', '100.00', '+21.67'] in rows
    assert ['0.png', '75.00', '100.00', '+25.00'] in rows  # (5 / 6 + 2 / 3) / 2
    assert 'mIoU, B - A: +21.67, 95 % interval -100.00 to +100.00, p = ' in out
    assert 'Images: 2; by their own mIoU 1 are better in B, 0 worse, 1 the same' in out
    assert 'No difference is shown by these 2 images: +21.67 points' in out


def test_the_file_holds_the_result_and_null_for_nan(runs, tmp_path, capsys):
    for folder in runs:  # the first image is left
        path = f'{folder}/per_image.csv'
        with open(path, encoding='utf-8') as file:
            lines = file.readlines()[:2]
        with open(path, 'w', encoding='utf-8') as file:
            file.writelines(lines)
    out = tmp_path / 'deep' / 'result.json'
    assert main(['compare', *runs, '--json', str(out), '--num', '0']) == 0
    result = json.loads(out.read_text(encoding='utf-8'))
    assert result['mIoU']['low'] is None
    assert result['IoU']['道']['a'] == pytest.approx(200 / 3)
    assert result['changed'] == []
    printed = capsys.readouterr().out
    assert 'interval nan to nan' in printed
    assert f'Written to {out}' in printed


def test_the_same_command_writes_the_same_bytes(runs, tmp_path):
    for name in ('1', '2'):
        main(['compare', *runs, '--json', str(tmp_path / name)])
    assert (tmp_path / '1').read_bytes() == (tmp_path / '2').read_bytes()


@pytest.mark.parametrize(('flags', 'said'), [
    (['--level', '95'], '0.95'), (['--num', '-1'], 'num')])
def test_wrong_flags_are_one_paragraph(runs, flags, said, capsys):
    assert main(['compare', *runs, *flags]) == 1
    err = capsys.readouterr().err
    assert err.startswith('ConfigError: ')
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_said(runs, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert main(['compare', *runs, '--json', str(tmp_path / 'file' / 'x.json')]) == 1
    assert 'cannot be written' in capsys.readouterr().err


def test_a_folder_that_no_test_wrote_is_named(runs, tmp_path, capsys):
    assert main(['compare', runs[0], str(tmp_path)]) == 1
    assert 'holds no per_image.csv' in capsys.readouterr().err
