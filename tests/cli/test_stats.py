"""``segplug stats``: its flags, and that standard output is the data alone where asked."""

import json

from segplug.cli.main import main


def test_data_alone_on_standard_output(minicity, tmp_path, capsys):
    table = tmp_path / 'classes.csv'
    assert main(['stats', 'unet/unet_r18_minicity.py', '--data-root', str(minicity), '--splits',
                 'train', '--images', '0', '--out', str(table), '--json', '-']) == 0
    out, err = capsys.readouterr()
    read = json.loads(out)
    assert [part['name'] for part in read['parts']] == ['train']
    assert read['mean'] == []
    assert len(table.read_text(encoding='utf-8').splitlines()) == 1 + 19
    assert 'images/s' in err


def test_where_nothing_can_be_written_nothing_is_read(capsys):
    assert main(['stats', 'unet/unet_r18_minicity.py', '--data-root', 'nowhere', '--out', 'x']) == 1
    assert 'Statistics cannot be written as x. Expected: a name' in capsys.readouterr().err


def test_what_is_wrong_is_one_sentence(capsys):
    assert main(['stats', 'unet/unet_r18_minicity.py', '--data-root', 'nowhere']) == 1
    assert '--data-root nowhere is not a folder' in capsys.readouterr().err
