from segplug.cli.main import main


def test_changes_and_reasons_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.py').write_text("log_level = 'INFO'\ndefault_scope = 'mmseg'\n")
    assert main(['migrate', 'a.py']) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:4] == ['a.py', '  line 2', "    - default_scope = 'mmseg'",
                       "    + default_scope = 'segplug'"]
    assert out[4].startswith("    why: this is segplug's name for the scope")
    assert out[-2].startswith('It runs as it is; the changes')
    assert out[-1].startswith('Nothing is written')
    assert (tmp_path / 'a.py').read_text().endswith("'mmseg'\n")


def test_writing_and_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.py').write_text("default_scope = 'mmseg'\n")
    assert main(['migrate', 'a.py', '--write']) == 0
    assert 'it was as a.py.bak' in capsys.readouterr().out
    assert main(['migrate', 'a.py', '--write']) == 0
    assert capsys.readouterr().out == 'It runs as it is: there is nothing to change.\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.py', 'a.py.bak']


def test_what_is_missing_is_exit_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.py').write_text("model = dict(type='EncoderDecoda')\n")
    assert main(['migrate', 'a.py', '--out', 'new']) == 1
    out = capsys.readouterr().out
    assert "  a.py:1: 'EncoderDecoda' is not a known model. To mend it: did you mean " \
           "'EncoderDecoder'" in out
    assert 'Written: new/a.py' in out.replace('\\', '/')


def test_no_config_is_one_paragraph(capsys):
    assert main(['migrate', 'nowhere.py']) == 1
    assert "There is no config 'nowhere.py'" in capsys.readouterr().err
